"""All that knows Hydra: what is typed, composed, checked and explained before work starts."""
