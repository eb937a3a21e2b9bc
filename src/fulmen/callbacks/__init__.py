"""What watches a training: exact resume, progress."""
