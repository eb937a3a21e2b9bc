"""`fulmen serve`: train, watch, rank, keep and predict over HTTP; nothing here imports torch before it is asked for."""
