"""Physiologically based pharmacokinetics: drug concentrations in fourteen organs over time."""
