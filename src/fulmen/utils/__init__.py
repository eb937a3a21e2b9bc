"""Files, threads, seeds and precision: what any room may use."""
