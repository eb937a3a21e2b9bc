"""What one run shows: summary, tables, figures, the HTML page."""
