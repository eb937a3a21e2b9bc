"""Split-conformal prediction (Papadopoulos 2002, Lei et al. 2018): what intervals of all kinds are made by."""


def conformal_rank(scores: int, level: float) -> int:
    """The place, from 1, of the score that covers a new one with a chance of `level`: ceil((n + 1) level).

    It is above n where there are too few scores for the level.

    Args:
        scores: n, of the calibration.
        level: to three digits.
    """
    return -(-(scores + 1) * round(level * 1000) // 1000)
