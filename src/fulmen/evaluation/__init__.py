"""What finished runs tell: figures, tables, the report."""
