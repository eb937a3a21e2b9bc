"""`fulmen pbpk simulate`: a CSV of subjects and compounds in, curves out."""
