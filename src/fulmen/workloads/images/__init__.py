"""Images of unequal classes: what re-sampling, re-weighting and logit adjustment buy."""
