"""The same samples in two splits, value for value, and samples that are repeated within one."""

from itertools import combinations

import numpy as np

from fulmen.data.leaks.content import content_hashes
from fulmen.data.leaks.leak import Leak
from fulmen.data.leaks.samples import SPLITS, VALIDATION, Samples
from fulmen.io.identity import same_rows
from fulmen.report.words import counted

REPEATED = 0.05  # of the samples of a split: fewer repeated ones are not told
SAME_SPLIT = 0.9  # of the samples of either split, beyond which the two are one
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
        if one == VALIDATION and min(share, np.isin(same[a], same[b]).mean()) > SAME_SPLIT:
            found.append(the_same(samples, len(b)))
            continue
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
