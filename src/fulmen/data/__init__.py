"""Caching and batching, shared by the workloads."""
