"""Readers of other people's files: container, encoding, numbers, times, names, identity."""
