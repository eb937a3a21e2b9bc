"""The same samples in two splits, value for value, and samples that are repeated within one."""

from itertools import combinations

import numpy as np
import pandas as pd

from fulmen.data.leaks.leak import Leak
from fulmen.data.leaks.samples import SPLITS, Samples
from fulmen.io.identity import same_rows
from fulmen.report.words import counted

REPEATED = 0.05  # of the samples of a split: fewer repeated ones are not told
EXAMPLES = 5  # pairs that are named


def copies(samples: Samples) -> list[Leak]:
    """Samples of one split that stand in another too, by all inputs, whatever their targets are."""
    same = kinds(samples)
    if same is None:
        return []
    found = []
    for one, other in combinations(range(len(SPLITS)), 2):
        a, b = samples.rows(one), samples.rows(other)
        shared = np.isin(same[b], same[a])
        if not len(a) or not shared.any():
            continue
        first = dict(zip(same[a][::-1].tolist(), a[::-1].tolist(), strict=True))
        pairs = [[first[int(same[row])], int(row)] for row in b[shared][:EXAMPLES]]
        share, count = shared.mean(), int(shared.sum())
        found.append(
            Leak(
                "copies",
                "error" if share > 0.01 else "warning",
                f"{counted(count, samples.sample)} of the {len(b):,} of the {SPLITS[other]} split stand in the "
                f"{SPLITS[one]} split too ({share:.1%}; first: {samples.sample} {pairs[0][1]} equals {pairs[0][0]})",
                evidence={"splits": [SPLITS[one], SPLITS[other]], "count": count, "share": share, "pairs": pairs},
                cures=tuple(samples.cures.get("copies", ())),
            )
        )
    return found + repeated_within(samples, same)


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


def kinds(samples: Samples) -> np.ndarray | None:
    """A number for each sample, equal for those with equal inputs alone [N]; None where there are no inputs."""
    parts = dict(samples.columns)
    if samples.content is not None:
        flat = samples.content.reshape(len(samples), -1)
        parts = {str(i): flat[:, i] for i in range(flat.shape[1])} if flat.shape[1] <= 64 else {"content": hashed(flat)}
    return same_rows(parts).row if parts else None


def hashed(flat: np.ndarray) -> np.ndarray:
    """A whole number for each row of [N, D], equal for equal rows; others share one by a chance of 2 ** -64."""
    rows = np.ascontiguousarray(flat)
    return pd.util.hash_array(np.array([row.tobytes() for row in rows], dtype=object), categorize=False)
