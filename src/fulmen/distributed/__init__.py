"""Which process of a run this one is, and what it says to the others."""
