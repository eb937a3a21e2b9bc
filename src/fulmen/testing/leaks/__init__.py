"""Leaks that are planted on purpose, to see whether a search for leaks, or a pipeline, notices them."""
