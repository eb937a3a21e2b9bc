"""Rows of two splits that are almost the same: equal but for noise, or in all columns but one."""

from dataclasses import replace

import numpy as np

from fulmen.data.leaks.columns import columns_of, drawn, used
from fulmen.data.leaks.copies import all_but_one, distinct_bits, kinds
from fulmen.data.leaks.leak import Leak, Severity
from fulmen.data.leaks.neighbours import distances
from fulmen.data.leaks.samples import SPLITS, TEST, TRAIN, VALIDATION, Samples
from fulmen.data.leaks.times import series
from fulmen.report.words import counted

FEWEST = 60  # samples below which nothing is said
FINE = 30  # values of a column that is looked at for distances
KNOWN = 8  # nearest rows that are looked at
REACH = 6  # the one that the nearest is compared with
ODD = 1e-6  # chance of a pair so near
SHARE = 0.01  # of the rows that have such a pair
TOLD, GRAVE = 0.019, 0.05  # of them, from which on it is a warning, an error
FEW_PAIRS, UNLIKE = 3.0, 0.3  # pairs that differ in the target by chance, to ask it, and the share of it that copies do
CELLS = 1e7  # distances that are computed
SCREEN = 20_000  # rows by which columns are judged
QUERIES = 3_000  # rows for which one is sought that agrees in all but a column


def near_rows(samples: Samples) -> list[Leak]:
    """Near copies across splits."""
    rows = used(samples)
    if len(rows) < FEWEST or not samples.columns:
        return []
    same = kinds(replace(samples, content=None))
    assert same is not None
    first = np.zeros(len(samples), dtype=bool)
    first[np.unique(same, return_index=True)[1]] = True
    found = [*_in_all_but_one(samples, same), *_by_distance(samples, rows[first[rows]])]
    return sorted(found, key=lambda leak: -leak.evidence["share"])[:1]


def _by_distance(samples: Samples, rows: np.ndarray) -> list[Leak]:
    fine = fine_columns(samples, rows)
    if len(fine) < 2:
        return []
    columns = [np.asarray(samples.columns[name], float)[rows] for name in fine]
    x = dequantised(columns)
    asked = samples.split[rows]
    judged = next(each for each in (TEST, VALIDATION, TEST) if (asked == each).any() or each == VALIDATION)
    reference = np.flatnonzero(asked == TRAIN)
    query = drawn(np.flatnonzero(asked == judged), int(np.clip(CELLS / max(1, len(reference)), 100, 2000)))
    if len(query) < 20 or len(reference) < 40:
        return []
    near, who = _nearest(x, query, reference)
    near = np.maximum(near, 1e-9)
    dimension = 1 / max(1e-9, float(np.mean(np.log(near[:, -1:] / near[:, 2:-1]))))
    ratio = near[:, 0] / near[:, REACH - 1]
    chance = 1 - (1 - np.minimum(1.0, ratio**dimension)) ** (REACH - 1)
    odd = (chance < ODD) & ~_kin(samples, rows, query, reference[who])
    count = int(odd.sum())
    if count < max(3, SHARE * len(query)):
        return []
    share = count / len(query)
    first = int(np.flatnonzero(odd)[np.argmin(ratio[odd])])
    pair = [samples.number(rows[reference[who[first]]]), samples.number(rows[query[first]])]
    alike = alike_in_target(samples, rows, rows[query[odd]], rows[reference[who[odd]]])
    looked = " looked at" if len(query) < (asked == judged).sum() else ""
    finding = (
        f"{counted(count, samples.sample)} of the {len(query):,}{looked} of the {SPLITS[judged]} split are almost "
        f"equal to one of the train split ({share:.1%}; first: {samples.named(rows[query[first]])} lies "
        f"{1 / ratio[first]:,.0f} times nearer to {pair[0]} than to its sixth neighbour)"
    )
    return [_leak(samples, finding, count, share, pair, alike)]


def fine_columns(samples: Samples, rows: np.ndarray) -> list[str]:
    """Names of the columns of numbers that tell many rows apart."""
    screen = columns_of(samples.columns, drawn(rows, SCREEN))
    return [each.name for each in screen if not each.levels and each.count > FINE]


def dequantised(columns: list[np.ndarray]) -> np.ndarray:
    """Columns standardised [N, F], each number moved within its last digit, so that what was rounded is not equal.

    What is missing is drawn from what is there.
    """
    rng, parts = np.random.default_rng(0), []
    for each in columns:
        missing = ~np.isfinite(each)
        known = np.unique(drawn(each[~missing], SCREEN))
        low, high = known[int(0.01 * len(known))], known[int(0.99 * (len(known) - 1))]
        values = np.clip(np.where(missing, rng.choice(each[~missing], len(each)), each), low, high)
        values = values + rng.uniform(-0.5, 0.5, len(values)) * np.diff(known).min(initial=np.inf)
        parts.append((values - values.mean()) / max(values.std(), 1e-300))
    return np.stack(parts, 1, dtype=np.float32, casting="same_kind")


def _nearest(x: np.ndarray, query: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sorted distances of the nearest reference rows of each query row [Q, `KNOWN`], and which the nearest is [Q]."""
    found, who = [], []
    known = min(KNOWN, len(reference) - 1)
    for part in np.array_split(query, max(1, len(query) * len(reference) // 4_000_000 + 1)):
        if not len(part):
            continue
        squares = distances(x[part], x[reference])
        nearest = np.argpartition(squares, known, axis=1)[:, :known]
        exact = np.sqrt(((x[part][:, None] - x[reference[nearest]]) ** 2).sum(2))
        order = np.argsort(exact, axis=1)
        found.append(np.take_along_axis(exact, order, 1))
        who.append(np.take_along_axis(nearest, order, 1)[:, 0])
    return np.concatenate(found), np.concatenate(who)


def _kin(samples: Samples, rows: np.ndarray, query: np.ndarray, partner: np.ndarray) -> np.ndarray:
    """Whether a row and its partner are of one given group, or follow each other: other findings tell of these."""
    if samples.group is not None:
        group = np.asarray(samples.group)
        return group[rows[query]] == group[rows[partner]]
    order, place = series(samples, rows, len(rows))
    at = np.full(len(samples), -(10**9))
    at[order] = place
    return np.abs(at[rows[query]] - at[rows[partner]]) <= 3


def _in_all_but_one(samples: Samples, same: np.ndarray) -> list[Leak]:
    if len(samples.columns) < 3:
        return []
    bits = distinct_bits(samples, same)
    train, judged = samples.rows(TRAIN), samples.rows(TEST)
    number = TEST if len(judged) else VALIDATION
    some = drawn(judged if len(judged) else samples.rows(VALIDATION), QUERIES)
    best: tuple[int, str, np.ndarray] | None = None
    for name, rest in all_but_one(samples):
        if bits.expected(len(same) ** 2 / 2, name) > 0.5:
            continue
        again = some[_there(rest[some], rest[train])]
        again = again[~_there(same[again], same[train])] if len(again) else again
        if len(again) > max(2, SHARE * len(some), best[0] if best else 0):
            best = len(again), name, again
    if best is None:
        return []
    count, name, again = best
    rest = next(codes for each, codes in all_but_one(samples) if each == name)
    known, place = np.unique(rest[train], return_index=True)
    partner = train[place[np.searchsorted(known, rest[again])]]
    pair = [samples.number(partner[0]), samples.number(again[0])]
    looked = " looked at" if len(some) < len(samples.rows(number)) else ""
    finding = (
        f"{counted(count, samples.sample)} of the {len(some):,}{looked} of the {SPLITS[number]} split equal one of the "
        f"train split in all but {name} ({count / len(some):.1%}; first: {samples.named(again[0])} and {pair[0]})"
    )
    alike = alike_in_target(samples, used(samples), again, partner)
    return [_leak(samples, finding, count, count / len(some), pair, alike)]


def _there(few: np.ndarray, many: np.ndarray) -> np.ndarray:
    """Which of few whole numbers [n] are among many [m]."""
    known, place = np.unique(few, return_inverse=True)
    at = np.minimum(np.searchsorted(known, many), len(known) - 1)
    found = np.zeros(len(known), dtype=bool)
    found[at[known[at] == many]] = True
    return found[place.reshape(-1)]


def alike_in_target(samples: Samples, rows: np.ndarray, one: np.ndarray, other: np.ndarray) -> bool:
    """Whether pairs of rows [n] have the same target as copies do; what chance does not tell counts as yes.

    Args:
        rows: by which it is known how often targets of any two rows differ, or by how much.
    """
    y = samples.target
    if y.ndim != 1:
        return True
    if samples.kind == "classes":
        shares = np.unique(y[rows], return_counts=True)[1] / len(rows)
        by_chance, unlike = len(one) * (1 - (shares**2).sum()), float((y[one] != y[other]).sum())
    else:
        by_chance, unlike = float(len(one)), float(((y[one] - y[other]) ** 2).sum() / max(2 * y[rows].var(), 1e-300))
    return bool(by_chance < FEW_PAIRS or unlike < UNLIKE * by_chance)


def _leak(samples: Samples, finding: str, count: int, share: float, pair: list[int], alike: bool) -> Leak:
    evidence = {"count": count, "share": share, "pairs": [pair]}
    if not alike:
        finding += (
            f": their targets differ nearly as often as those of any two, so that they are no copies; if they are "
            f"{samples.sample}s of one product, household or person, a number of it in a column keeps them together "
            f"(data.group=COLUMN data.split=group)"
        )
        return Leak("group_in_several_splits", "note", finding, (), evidence)
    severity: Severity = "error" if share >= GRAVE else "warning" if share >= TOLD else "note"
    return Leak("near_copies", severity, finding, (), evidence, tuple(samples.cures.get("near_copies", ())))
