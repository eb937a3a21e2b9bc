"""Networks for tables, and their fit of many at once."""
