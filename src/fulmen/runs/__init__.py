"""One run and its folder: trained, repeated over folds and seeds, recorded, restored, loaded."""
