"""Tests of stocks."""
