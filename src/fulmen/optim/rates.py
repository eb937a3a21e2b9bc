"""Learning rates to try."""

HIGH, USUAL = 10.0, 1e-3  # beyond the first hardly anything trains; the second is Adam's default


def lower(rate: float) -> float:
    """What to try after a training with this learning rate has diverged: a tenth, or a usual one where that is high."""
    return rate / 10 if rate <= HIGH else USUAL
