"""Tables of strangers, read cell by cell."""
