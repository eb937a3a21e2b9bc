"""Callbacks, watched from outside."""
