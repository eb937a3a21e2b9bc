"""The same picture in two splits, though not pixel for pixel."""

from dataclasses import dataclass

import numpy as np

from fulmen.data.leaks.content import content_hashes
from fulmen.data.leaks.grain import same_grain
from fulmen.data.leaks.leak import Leak, Severity
from fulmen.data.leaks.pictures import GRID, Looks, agreement, are_drawings, looks, nearest, turned_by
from fulmen.data.leaks.samples import SPLITS, TEST, TRAIN, VALIDATION, Samples
from fulmen.report.words import counted

POOL, COMPARED = 16_000, 8_000_000  # pictures of a split that are looked at, and pairs of pictures of two splits
ASKED = 200  # matches whose further neighbours are looked at
RANKS = (6, 12)  # neighbours that are nobody's copies, hopefully
ALIKE = 1.6  # Fisher's z of the agreement of a copy, at least: 0.92
GAPS = np.arange(0.8, 4.1, 0.2)  # of it above that of the sixth neighbour
UNLIKELY = 1e-6
CLUSTER = 4  # matches that come together by chance
EXAMPLES = 5
SMALLEST = 12  # pixels of a side, below which pictures have no grain
LOOK, GRAIN = "but for a change of light, place or size", "down to their grain, but for noise or a pixel's move"


@dataclass(frozen=True)
class Matches:
    """Each of n pictures beside the one of others that is nearest to it.

    Attributes:
        row: of the nearest [n].
        z: Fisher's z of the agreement with it [n].
        gap: what of it is above that with the sixth or twelfth nearest [n].
        spread: median of how far the twelfth lies below the sixth.
    """

    row: np.ndarray
    z: np.ndarray
    gap: np.ndarray
    spread: float


def near_copies(samples: Samples) -> list[Leak]:
    """Pictures of one split that show what one of another split shows, after a change that a person hardly sees."""
    content = samples.content
    if content is None or content.dtype != np.uint8 or content.ndim < 3 or min(content.shape[-2:]) < 6:
        return []
    train = _some(samples.rows(TRAIN), POOL)
    if len(train) < 4 * RANKS[1]:
        return []
    pool, exact = looks(content[train]), content_hashes(content)
    own = _some(np.unique(exact[train], return_index=True)[1], most := max(COMPARED // len(train), 200))
    within, drawings = matched(pool[own], pool, own), are_drawings(content[train])
    found = []
    for other in (TEST, VALIDATION):
        rows = samples.rows(other)
        rows = _some(rows[~np.isin(exact[rows], exact[samples.rows(TRAIN)])], most)
        if len(rows) < 10:
            continue
        matches = matched(looks(content[rows]), pool)
        count = number_of_copies(matches, within, drawings)
        if count >= 3:
            share = count / len(rows) * len(samples.rows(TRAIN)) / len(train)
            best = np.argsort(-np.where(matches.z >= ALIKE, np.nan_to_num(matches.gap) + matches.z, 0))[:EXAMPLES]
            pairs = [[int(train[matches.row[i]]), int(rows[i])] for i in best]
            found.append(_leak(samples, TRAIN, other, count, len(rows), min(share, 1.0), pairs))
        elif not drawings and min(content.shape[-2:]) >= SMALLEST:
            count, asked, pairs = same_grain(content, train, rows)
            share = count / max(asked, 1) * len(samples.rows(TRAIN)) / len(train)
            if count:
                found.append(_leak(samples, TRAIN, other, count, asked, min(share, 1.0), pairs, GRAIN))
    return found


def _leak(
    samples: Samples, one: int, other: int, count: int, looked_at: int, share: float, pairs: list, but: str = LOOK
) -> Leak:
    severity: Severity = "error" if share >= 0.05 else "warning" if share >= 0.01 else "note"
    first = f"first: {samples.named(pairs[0][1])} shows what {samples.beside(pairs[0][0])} shows"
    finding = (
        f"{counted(count, samples.sample)} of {looked_at:,} of the {SPLITS[other]} split that were looked at show what "
        f"one of the {SPLITS[one]} split shows, {but} ({share:.1%} of all; {first})"
    )
    evidence = {"splits": [SPLITS[one], SPLITS[other]], "count": count, "looked_at": looked_at, "share": share,
                "pairs": pairs}  # fmt: skip
    return Leak("near_copies", severity, finding, (), evidence, tuple(samples.cures.get("near_copies", ())))


def matched(query: Looks, pool: Looks, apart: np.ndarray | None = None) -> Matches:
    """The best match of each picture of `query` in `pool`.

    Args:
        apart: row of `pool` that each must not be matched with, which is itself [n].
    """
    row, way, _ = nearest(query.descriptor, pool.descriptor, apart)
    turned = turned_by(query.grey, way)
    z = _fisher(agreement(turned, pool.grey[row]))
    alike = _some(np.flatnonzero(z >= ALIKE), ASKED)
    asked = np.union1d(alike, _some(np.arange(len(z)), ASKED // 4))
    squares = turned_by(query.descriptor[asked].reshape(len(asked), GRID, GRID), way[asked])
    cosine = squares.reshape(len(asked), -1) @ pool.descriptor.T
    if apart is not None:
        cosine[np.arange(len(asked)), apart[asked]] = -2
    others = np.argpartition(-cosine, RANKS, 1)[:, list(RANKS)]
    sixth, twelfth = (_fisher(agreement(turned[asked], pool.grey[others[:, i]])) for i in range(2))
    gap = np.full(len(z), np.nan)
    gap[asked] = z[asked] - np.maximum(sixth, twelfth)
    return Matches(row, z, gap, float(np.median(np.abs(sixth - twelfth))))


def number_of_copies(matches: Matches, within: Matches, drawings: bool) -> int:
    """How many matches with the training split are copies; 0 where they can be chance.

    They can where matches among the training pictures are as good as often. Where those are copies too, pictures that
    were altered before they were dealt, a law of chance decides: among n points of a set of m dimensions the distances
    d of the first and the sixth neighbour keep P(d1 / d6 < r) near 5 r ** m (Levina, Bickel 2004); z is -log d but for
    a constant, and m is 0.7 over the way from the sixth to the twelfth.

    Args:
        within: matches of training pictures with others of them.
        drawings: whether pictures have few grey levels, so that honest ones repeat each other.
    """
    dimensions, n = 0.7 / max(within.spread, 0.03), len(matches.z)
    for gap in GAPS:
        here, there = _share(matches, gap), _share(within, gap)
        if here * n < 3:
            break
        chance = min(1.0, 5 * float(np.exp(-dimensions * gap)))
        if _tail(round(here * n), n, there, len(within.z)) < UNLIKELY:
            return round((here - there) * n)
        many = chance < 0.02 and here > max(0.3, 10 * chance)
        if not drawings and (many or (chance < UNLIKELY and here > 0.02)):
            return round(here * n)
    return 0


def _share(matches: Matches, gap: float) -> float:
    """Of the pictures, that have a match so good and so far above other neighbours."""
    alike = matches.z >= ALIKE
    known = alike & ~np.isnan(matches.gap)
    return float(alike.mean() * (matches.gap[known] >= gap).mean()) if known.any() else 0.0


def _tail(count: int, trials: int, there: float, others: int) -> float:
    """The chance of so many or more where others have the share `there`, a few more for coming in clusters."""
    from scipy.stats import binom

    return float(binom.sf(count - 1, trials, min(1.0, (there * others + CLUSTER) / (others + CLUSTER))))


def _some(rows: np.ndarray, most: int) -> np.ndarray:
    """At most so many, evenly."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(int)]


def _fisher(agreed: np.ndarray) -> np.ndarray:
    return np.arctanh(np.clip(agreed, -0.99, 0.99999))
