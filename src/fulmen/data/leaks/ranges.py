"""Highs and lows of a day that hold the close of the next."""

import numpy as np

from fulmen.data.leaks.filled import shuffled
from fulmen.data.leaks.leak import Leak
from fulmen.data.leaks.made_of import leak_of_values
from fulmen.data.leaks.samples import Samples, Series
from fulmen.data.leaks.steps import foretold

FEWEST = 200  # days, below which nothing is said
SERIES = 40  # that are looked at
ALWAYS, BY_CHANCE = 0.995, 0.93  # share of the days whose next Close is held, and would be by steps of other days
REORDERED = 5  # times that steps are taken from other days


def ranges(samples: Samples) -> list[Leak]:
    """High and Low between which the next Close lies on nearly all days, where honest ones hold it on half of them."""
    found: dict[str, tuple[float, float]] = {}
    for one in samples.series[:SERIES]:
        for name, (here, by_chance) in held(one).items():
            if here >= ALWAYS and by_chance <= BY_CHANCE and name not in found:
                found[name] = here, by_chance
    if not found:
        return []
    here, by_chance = min(found.values(), key=lambda each: each[1])
    side = "between High and Low" if len(found) > 1 else "above Low" if "low" in found else "below High"
    finding = (
        f"the next Close lies {side} of a day on {here:.1%} of all days, where steps of other days would lie there on "
        f"{by_chance:.0%}: {' and '.join(name.capitalize() for name in found)} {'were' if len(found) > 1 else 'was'} "
        f"taken over the next day too"
    )
    return [leak_of_values(samples, finding, tuple(found), {"share": here, "by_chance": by_chance})]


def held(one: Series) -> dict[str, tuple[float, float]]:
    """Of High, the share of days that are not below the next Close, of Low of those not above; and both by chance."""
    close = foretold(one)
    high, low = (np.asarray(one.values[name], float) if name in one.values else None for name in ("high", "low"))
    if len(close) < FEWEST or not np.nanmin(close) > 0:
        return {}
    step, rng = np.diff(np.log(close)), np.random.default_rng(0)
    others = [close[:-1] * np.exp(shuffled(step, rng)) for _ in range(REORDERED)]
    slack, found = 1e-6, {}
    if high is not None:
        inside = [float((each <= high[:-1] * (1 + slack)).mean()) for each in (close[1:], *others)]
        found["high"] = inside[0], float(np.mean(inside[1:]))
    if low is not None:
        inside = [float((each >= low[:-1] * (1 - slack)).mean()) for each in (close[1:], *others)]
        found["low"] = inside[0], float(np.mean(inside[1:]))
    return found
