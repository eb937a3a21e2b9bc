"""Windows of daily prices to the log-returns of the next days."""
