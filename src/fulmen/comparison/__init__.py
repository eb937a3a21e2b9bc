"""Several runs beside each other: compared, ranked, tested for a difference."""
