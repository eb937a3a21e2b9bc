"""How often a verdict on curves is right, by what it says, how many checks there are and how noisy they are.

    python benchmarks/diagnosis_confidence.py [--curves 6000] [--write]

Curves are drawn from laws: those of `diagnosis_wide.py`, alone or two mixed in any share, so that weak effects and what
lies between words are among them; 6 to 400 checks, noise of .3 to 40 % of their level, white, with a memory, growing or
with spikes. Of each verdict the law itself says whether it holds (`holds`). The table is the share that do, drawn a
little towards the share of all verdicts of that kind where a cell has few; `--write` puts it into
src/fulmen/diagnosis/confidence_table.py. Then fresh curves of another seed: of verdicts that are given a confidence of
so much, so many are right.
"""

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from diagnosis_wide import NOISES, SHAPES, WORDS, noisy

from fulmen.diagnosis import diagnose
from fulmen.diagnosis.confidence import CELLS, cell_of
from fulmen.diagnosis.measured import measure

TABLE = Path(__file__).parents[1] / "src/fulmen/diagnosis/confidence_table.py"
PRIOR = 6.0  # verdicts' worth of the share of all of a kind, in each cell


def drawn(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Noise-free training and validation loss, the noise of the second, and both with noise: [checks] each."""
    n = int(np.exp(rng.uniform(np.log(6), np.log(400))))
    x = np.arange(n) / n
    words = [w for w in WORDS if w != "noisy_validation"]
    (t, v, _), (t2, v2, _) = (WORDS[rng.choice(words)](rng, rng.choice(SHAPES), x) for _ in range(2))
    if rng.random() < 0.5:
        share = rng.random()
        t, v = share * t + (1 - share) * t2, share * v + (1 - share) * v2
    sd, kind = float(np.exp(rng.uniform(np.log(0.003), np.log(0.4)))), rng.choice(NOISES)
    train, val = noisy(rng, kind, t, sd * 0.4), noisy(rng, kind, v, sd)
    return t, v, np.std(val - v), train, val


def holds(code: str, t: np.ndarray, v: np.ndarray, sd: float) -> bool | None:
    """Whether a verdict is right by the law that its curves follow; None where the law does not say."""
    best, end, quarter = float(v.min()), float(v[-1]), max(1, len(v) // 4)
    rise, start = end / best - 1, max(t[0], v[0])
    own = float(t[-1] - t[int(v.argmin())]) < 0.6 * (end - best)
    moved = max(np.abs(t / t[0] - 1).max(), np.abs(v / v[0] - 1).max())
    left = 1 - t[-1] / start
    return {
        "good_fit": rise < 0.03 and 0.7 < end / t[-1] < 2 and moved > 0.05 and v[-1 - quarter] / end < 1.12,
        "overfitting": rise > 0.04 and own,
        "past_its_best": rise > 0.01,
        "underfitting": left < 0.38 and moved > 0.02 and end / t[-1] < 1.35,
        "no_learning": moved < 0.035,
        "diverged": t[-1] > 1.4 * t.min() and t[-1] > 0.85 * start,
        "noisy_validation": sd > 0.08 * end,
        "generalization_gap": end > 1.8 * t[-1],
        "validation_too_good": end < 0.8 * t[-1],
        "still_improving": v[-1 - quarter] > 1.04 * end,
        "plateau": v[: len(v) // 2 + 1].min() < 1.03 * best,
    }.get(code)  # fmt: skip


def told(curves: int, seed: int) -> list[tuple[str, str, float, bool]]:
    """Name, cell, confidence and truth of every verdict on so many curves."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(curves):
        t, v, sd, train, val = drawn(rng)
        cell = cell_of(measure(train, val, None))
        verdicts = [(each, holds(each.code, t, v, sd)) for each in diagnose(train, val)]
        found += [
            (each.code, cell, each.confidence or 0.0, bool(right)) for each, right in verdicts if right is not None
        ]
    return found


def table(found: list[tuple[str, str, float, bool]]) -> dict[str, dict[str, float]]:
    """Name -> cell -> share that is right."""
    by_code, by_cell = defaultdict(list), defaultdict(list)
    for code, cell, _, right in found:
        by_code[code].append(right)
        by_cell[code, cell].append(right)
    shares = {code: (sum(each) + 1) / (len(each) + 2) for code, each in by_code.items()}

    def share(code: str, cell: str) -> float:
        right = by_cell[code, cell]
        return round((sum(right) + PRIOR * shares[code]) / (len(right) + PRIOR), 3)

    return {code: {cell: share(code, cell) for cell in CELLS} for code in sorted(shares)}


def _lines(cells: dict[str, float]) -> list[str]:
    return [f'        "{cell}": {share},' for cell, share in cells.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--curves", type=int, default=6000)
    parser.add_argument("--write", action="store_true", help="put the table into the package")
    args = parser.parse_args()
    if args.write:
        made = table(told(args.curves, 1))
        lines = [line for code, cells in made.items() for line in (f'    "{code}": {{', *_lines(cells), "    },")]
        note = (
            '"""Made by `python benchmarks/diagnosis_confidence.py --write`: verdict -> cell -> share that is right."""'
        )
        text = "\n".join([note, "", "TABLE: dict[str, dict[str, float]] = {", *lines, "}", ""])
        TABLE.write_text(text)
        print(f"written to {TABLE}; start again without --write to see how it holds")
        return
    fresh = told(args.curves, 2)
    confidence, right = (np.array([each[i] for each in fresh], float) for i in (2, 3))
    for low, high in ((0, 0.6), (0.6, 0.8), (0.8, 0.9), (0.9, 0.95), (0.95, 1.01)):
        among = (confidence >= low) & (confidence < high)
        if among.any():
            print(f"confidence {confidence[among].mean():.3f}: {right[among].mean():.3f} right of {among.sum()}")
    for code in sorted({each[0] for each in fresh}):
        mine = np.array([each[0] == code for each in fresh])
        print(f"  {code:20} told {confidence[mine].mean():.3f}, right {right[mine].mean():.3f} of {mine.sum()}")
    bins = np.clip((confidence * 20).astype(int), 0, 19)
    error = sum(abs(confidence[bins == b].mean() - right[bins == b].mean()) * (bins == b).mean() for b in set(bins))
    print(f"expected calibration error {error:.3f}, {len(fresh)} verdicts")


if __name__ == "__main__":
    main()
