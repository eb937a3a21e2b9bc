"""A plant whose failures are known, and what the best possible model of it would score."""
