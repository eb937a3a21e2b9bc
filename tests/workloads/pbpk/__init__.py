"""Tests of pbpk."""
