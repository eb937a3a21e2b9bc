"""The same samples in two splits, value for value, and samples that are repeated within one."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from fulmen.data.leaks.chance import SCREEN, PairBits
from fulmen.data.leaks.columns import columns_of, drawn
from fulmen.data.leaks.content import content_hashes
from fulmen.data.leaks.leak import Leak
from fulmen.data.leaks.pictures import are_drawings
from fulmen.data.leaks.samples import SPLITS, TRAIN, VALIDATION, Samples
from fulmen.io.identity import mixed, same_rows, value_hashes
from fulmen.report.words import counted

REPEATED = 0.05  # of the samples of a split: fewer repeated ones are not told
SAME_SPLIT = 0.9  # of the samples of either split, beyond which the two are one
TOLD = 0.01  # of all samples: fewer copies that are kept in one split are not told
EXAMPLES = 5  # pairs that are named
FEWEST = 3  # rows of a table: fewer are a note, for chance makes one equal to another now and then
CROWD = 25  # samples of one kind, from which on it is a state that recurs, such as a machine that stands
MISSES = 0.3  # pairs that agree in all columns but one, to each kind that is repeated: as many where values are few


def copies(samples: Samples) -> list[Leak]:
    """Samples of one split that stand in another too, by all inputs, whatever their targets are.

    Where inputs are few levels or coarse numbers, chance makes equal samples: these are no copies.
    """
    same = kinds(samples)
    if same is None:
        return []
    crowd = np.bincount(same)[same] > max(CROWD, len(same) // 200)
    if not samples.columns and samples.content is not None:
        crowd = blank(samples.content)
        if few_pictures(samples.content, same, samples.split):
            return []
    repeated = np.bincount(same)[same] > 1
    if not (repeated & ~crowd).any():
        return []
    bits = distinct_bits(samples, same) if samples.columns else None
    if bits is not None and _few_values(samples, same, repeated & ~crowd, bits):
        return []
    found = []
    for one, other in combinations(range(len(SPLITS)), 2):
        a, b = samples.rows(one), samples.rows(other)
        shared = np.isin(same[b], same[a]) & ~crowd[b]
        if not len(a) or not shared.any():
            continue
        first = dict(zip(same[a][::-1].tolist(), a[::-1].tolist(), strict=True))
        there = [(first[int(same[row])], int(row)) for row in b[shared][:EXAMPLES]]
        share, count = float(shared.mean()), int(shared.sum())
        if one == VALIDATION and min(share, np.isin(same[a], same[b]).mean()) > SAME_SPLIT:
            found.append(the_same(samples, len(b)))
            continue
        expected = bits.expected(len(a) * len(b)) if bits is not None else 0.0
        if count < 10 * expected:
            continue
        found.append(
            Leak(
                "copies",
                "note" if bits is not None and count < FEWEST else "error" if share > 0.01 else "warning",
                f"{counted(count, samples.sample)} of the {len(b):,} of the {SPLITS[other]} split stand in the "
                f"{SPLITS[one]} split too ({share:.1%}; first: {samples.named(there[0][1])} equals "
                f"{samples.beside(there[0][0])})",
                evidence={
                    "splits": [SPLITS[one], SPLITS[other]],
                    "count": count,
                    "share": share,
                    "pairs": [[samples.number(each) for each in pair] for pair in there],
                    "by_chance": expected,
                },
                cures=tuple(samples.cures.get("copies", ())),
            )
        )
    again = len(same) - len(np.unique(same))
    by_chance = bits.expected(len(same) ** 2 / 2) if bits is not None else np.inf
    if not found and again > max(TOLD * len(same), 10 * by_chance):
        finding = f"{again:,} of {len(same):,} {samples.sample}s repeat others; all copies of one are in the same split"
        found.append(Leak("copies", "note", finding, evidence={"count": again}))
    return found + repeated_within(samples, same)


def blank(content: np.ndarray) -> np.ndarray:
    """Whether a sample holds one number alone, as a blank picture does [N]: whatever equals it is no copy."""
    flat = content.reshape(len(content), -1)
    return np.asarray(flat.min(1) == flat.max(1)) if content.dtype == np.uint8 else np.zeros(len(content), dtype=bool)


def few_pictures(content: np.ndarray, same: np.ndarray, split: np.ndarray) -> bool:
    """Whether pictures are drawings of which there are so few that chance repeats them, within splits as across them.

    Of K that are equally frequent, N show K (1 - exp(-N / K)) different ones, and the share 1 - exp(-N / K) of any
    others is among them.
    """
    from scipy.optimize import brentq

    train, others = same[split == TRAIN], same[split > TRAIN]
    shown, n = len(np.unique(train)), len(train)
    if content.dtype != np.uint8 or content.ndim < 3 or n < 20 or shown > 0.95 * n or not are_drawings(content):
        return False
    most = brentq(lambda k: k * -np.expm1(-n / k) - shown, shown, 1e6 * n)
    expected, share = -np.expm1(-n / most), np.isin(others, train).mean()
    return bool(share < expected + 4 * np.sqrt(expected / max(len(others), 1)) and share < 2 * expected)


def the_same(samples: Samples, count: int) -> Leak:
    """What is to be said where the validation split is the test split."""
    finding = f"the validation split holds the {count:,} {samples.sample}s of the test split: epochs are chosen on them"
    evidence = {"splits": ["validation", "test"], "count": count}
    return Leak("chosen_on_test", "error", finding, (), evidence, tuple(samples.cures.get("chosen_on_test", ())))


def repeated_within(samples: Samples, same: np.ndarray) -> list[Leak]:
    """Splits of which many samples are repeated."""
    found = []
    for number, name in enumerate(SPLITS):
        rows = samples.rows(number)
        again = len(rows) - len(np.unique(same[rows]))
        if again > REPEATED * len(rows):
            finding = f"{again:,} of the {len(rows):,} {samples.sample}s of the {name} split repeat another one of it"
            found.append(Leak("repeated_within", "note", finding, evidence={"split": name, "count": again}))
    return found


def distinct_bits(samples: Samples, same: np.ndarray) -> PairBits:
    """What tells different samples apart, by some of them.

    Args:
        same: number of the kind of each sample, equal for equal ones [N].
    """
    _, first = np.unique(same, return_index=True)
    return PairBits(columns_of(samples.columns, drawn(first, SCREEN)))


def _few_values(samples: Samples, same: np.ndarray, repeated: np.ndarray, bits: PairBits) -> bool:
    """Whether different samples agree in all columns but one so often that agreeing in all is nothing special.

    That is so where it happens with two columns or more: among copies of a row with one column of fine numbers it does
    with that one. And where pairs that agree in all but one are so many that chance makes a tenth of the equal ones of
    them, as among products whose measures are fixed but for one.

    Args:
        same: number of the kind of each sample [N].
        repeated: which of them are equal to another one [N].
    """
    _, first = np.unique(same, return_index=True)
    enough = MISSES * len(np.unique(same[repeated]))
    equal = _pairs(np.sort(same[repeated]))
    missed = 0
    for name, rest in all_but_one(samples):
        pairs = _pairs(np.sort(rest[first]))
        if 10 * pairs * 2.0 ** -bits.of_column(name) > equal:
            return True
        missed += pairs > enough
    return missed >= 2


def _pairs(numbers: np.ndarray) -> float:
    """How many pairs of equal ones there are among sorted numbers [n]."""
    starts = np.flatnonzero(np.insert(numbers[1:] != numbers[:-1], 0, True)) if len(numbers) else np.zeros(0, int)
    counts = np.diff(starts, append=len(numbers)).astype(float)
    return float((counts * (counts - 1)).sum() / 2)


def all_but_one(samples: Samples) -> Iterator[tuple[str, np.ndarray]]:
    """Each column with a number for each sample, equal for those that agree in all other columns, uint64 [N]."""
    salts = np.random.default_rng(0).integers(2**63, size=len(samples.columns), dtype=np.uint64)
    codes = [mixed(value_hashes(each) + salt) for each, salt in zip(samples.columns.values(), salts, strict=True)]
    total = np.sum(codes, axis=0, dtype=np.uint64)
    for name, code in zip(samples.columns, codes, strict=True):
        yield name, total - code


def kinds(samples: Samples) -> np.ndarray | None:
    """A number for each sample, equal for those with equal inputs alone [N]; None where there are no inputs."""
    parts = dict(samples.columns)
    if samples.content is not None:
        flat = samples.content.reshape(len(samples), -1)
        parts = (
            {str(i): flat[:, i] for i in range(flat.shape[1])}
            if flat.shape[1] <= 64
            else {"content": content_hashes(flat)}
        )
    return same_rows(parts).row if parts else None
