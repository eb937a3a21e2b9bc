"""Verdicts on synthetic curves of known truth: families the thresholds were tuned on, and families kept apart.

    python benchmarks/diagnosis_curves.py [--curves 200]

The families kept apart come from other generators (power laws, logistic descents, noise with a memory, multiplicative
noise, steps of the learning rate) than those used for tuning (exponentials with white noise). Textbook curves: the
three that every introduction shows. Counted are the gravest verdict that is no note, and `still improving` where there
is none. Overfitting alone is compared with the bare rule that only looks at the validation loss.
"""

import argparse
import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
from sklearn.metrics import f1_score

from fulmen.diagnosis import diagnose
from fulmen.diagnosis.verdicts import main_states

Pair = tuple[np.ndarray, np.ndarray]
Family = Callable[[np.random.Generator, int], Pair]


def noisy(rng: np.random.Generator, x: np.ndarray, sd: float) -> np.ndarray:
    return np.maximum(x + sd * rng.standard_normal(len(x)), 1e-3 * np.abs(x).max())


def exponential(rng, n, tau=(0.06, 0.14), floor=(0.1, 0.4)):
    x = np.arange(n)
    end = rng.uniform(*floor)
    return end + (1 - end) * np.exp(-x / (n * rng.uniform(*tau)))


def good(rng, n):
    t = exponential(rng, n)
    v = t * rng.uniform(1.0, 1.15) + rng.uniform(0, 0.05)
    return noisy(rng, t, 0.005), noisy(rng, v, rng.uniform(0.005, 0.02))


def overfit(rng, n):
    t = exponential(rng, n, floor=(0.01, 0.1))
    x, turn = np.arange(n), n * rng.uniform(0.15, 0.7)
    rise = rng.uniform(0.2, 1.0) * np.maximum(0, x - turn) / n
    v = exponential(rng, n, (0.05, 0.1), (0.15, 0.4)) + 0.05 + rise
    return noisy(rng, t, 0.005), noisy(rng, v, rng.uniform(0.005, 0.015))


def underfit(rng, n):
    end = rng.uniform(0.7, 0.95)
    t = end + (1 - end) * np.exp(-np.arange(n) / (n * rng.uniform(0.03, 0.12)))
    return noisy(rng, t, 0.003), noisy(rng, t * rng.uniform(1, 1.08), 0.006)


def no_learning(rng, n):
    level, slope = rng.uniform(0.5, 3), rng.uniform(0, 0.015)
    t = level * (1 - slope * np.arange(n) / n)
    return noisy(rng, t, 0.003 * level), noisy(rng, t * rng.uniform(0.98, 1.02), 0.005 * level)


def diverged(rng, n):
    t = exponential(rng, n)
    start, x = int(n * rng.uniform(0.2, 0.75)), np.arange(n)
    up = np.where(x > start, rng.uniform(2, 50) * (1 - np.exp(-(x - start) / (0.05 * n))), 0)
    return noisy(rng, t + up, 0.01), noisy(rng, 1.1 * t + up * rng.uniform(0.8, 1.3), 0.02)


def noisy_val(rng, n):
    t = exponential(rng, n)
    return noisy(rng, t, 0.005), noisy(rng, t * 1.1 + 0.1, rng.uniform(0.2, 0.4))


def too_good(rng, n):
    t = exponential(rng, n)
    return noisy(rng, t, 0.005), noisy(rng, t * rng.uniform(0.2, 0.6), 0.005)


def improving(rng, n):
    t = exponential(rng, n, (0.5, 1.5), (0.02, 0.1))
    return noisy(rng, t, 0.003), noisy(rng, t * rng.uniform(1, 1.1), 0.006)


TUNING: dict[str, Family] = {
    "good_fit": good, "overfitting": overfit, "underfitting": underfit, "no_learning": no_learning,
    "diverged": diverged, "noisy_validation": noisy_val, "validation_too_good": too_good, "still_improving": improving,
}  # fmt: skip


def remembering(rng, n, sd, memory=0.6):
    noise = np.empty(n)
    noise[0] = rng.standard_normal()
    for i in range(1, n):
        noise[i] = memory * noise[i - 1] + np.sqrt(1 - memory**2) * rng.standard_normal()
    return np.exp(sd * noise)


def descent(rng, n, floor):
    """Power law, logistic in the logarithm of the epoch, or stairs of the learning rate, from 1 (x its unit) down."""
    x, kind = np.arange(n) / n, rng.integers(3)
    if kind == 0:
        shape = (1 + rng.uniform(60, 200) * x) ** -rng.uniform(0.9, 1.5)
    elif kind == 1:
        shape = 1 / (1 + (x / rng.uniform(0.05, 0.12)) ** rng.uniform(2.0, 3.0))
    else:
        shape = 0.25 * np.exp(-x / 0.04) + 0.55 * np.exp(-x / 0.06)
        shape += 0.12 * np.where(x < 0.4, 1, np.exp(-(x - 0.4) / 0.02)) + 0.08 * np.where(
            x < 0.6, 1, np.exp(-(x - 0.6) / 0.02)
        )
    return floor + (1 - floor) * shape / shape[0]


def b_good(rng, n):
    unit, t = rng.uniform(0.3, 5), descent(rng, n, rng.uniform(0.15, 0.4))
    v = t * rng.uniform(1, 1.2) + rng.uniform(0, 0.04)
    return unit * t * remembering(rng, n, 0.01), unit * v * remembering(rng, n, rng.uniform(0.005, 0.03), 0.3)


def b_overfit(rng, n):
    unit, t = rng.uniform(0.3, 5), descent(rng, n, rng.uniform(0.01, 0.1))
    x, turn = np.arange(n) / n, rng.uniform(0.2, 0.7)
    v = descent(rng, n, rng.uniform(0.2, 0.45)) + 0.05
    kind = rng.integers(2)
    way = np.maximum(0, x - turn)
    up = rng.uniform(0.2, 0.6) * (1 - np.exp(-way / 0.1)) if kind else rng.uniform(0.5, 3) * way**1.5
    return unit * t * remembering(rng, n, 0.01), unit * (v + up) * remembering(rng, n, rng.uniform(0.005, 0.02), 0.3)


def b_underfit(rng, n):
    unit, end = rng.uniform(0.3, 5), rng.uniform(0.7, 0.95)
    t = end + (1 - end) / (1 + (np.arange(n) / n / rng.uniform(0.03, 0.08)) ** 2)
    return unit * t * remembering(rng, n, 0.003), unit * t * rng.uniform(1, 1.1) * remembering(rng, n, 0.006, 0.3)


def b_no_learning(rng, n):
    unit = rng.uniform(0.3, 5)
    return unit * remembering(rng, n, 0.005), unit * rng.uniform(0.98, 1.03) * remembering(rng, n, 0.005, 0.8)


def b_diverged(rng, n):
    unit, t = rng.uniform(0.3, 5), descent(rng, n, 0.2)
    x, start = np.arange(n) / n, rng.uniform(0.2, 0.7)
    up = np.exp(np.minimum(np.maximum(0, x - start) * rng.uniform(15, 60), 20)) - 1
    return unit * (t + up) * remembering(rng, n, 0.02), unit * (1.1 * t + up) * remembering(rng, n, 0.05)


def b_noisy(rng, n):
    unit, t = rng.uniform(0.3, 5), descent(rng, n, rng.uniform(0.3, 0.5))
    return unit * t * remembering(rng, n, 0.01), unit * (t + 0.1) * remembering(rng, n, rng.uniform(0.35, 0.6), 0)


def b_too_good(rng, n):
    unit, t = rng.uniform(0.3, 5), descent(rng, n, rng.uniform(0.15, 0.4))
    return unit * t * remembering(rng, n, 0.01), unit * t * rng.uniform(0.2, 0.6) * remembering(rng, n, 0.02, 0.3)


def b_improving(rng, n):
    """Logistic descents whose middle lies late, and straight lines down."""
    unit, x = rng.uniform(0.3, 5), np.arange(n) / n
    line = 1 - rng.uniform(0.6, 0.8) * x
    t = line if rng.integers(2) else 1 / (1 + np.exp((x - rng.uniform(0.7, 1.0)) / 0.2)) + 0.03
    return unit * t * remembering(rng, n, 0.003), unit * t * rng.uniform(1, 1.1) * remembering(rng, n, 0.006, 0.3)


APART: dict[str, Family] = dict(
    zip(TUNING, (b_good, b_overfit, b_underfit, b_no_learning, b_diverged, b_noisy, b_too_good, b_improving),
        strict=True)
)  # fmt: skip


def textbook_good(rng, n):
    x = np.arange(n)
    return noisy(rng, 0.9 * np.exp(-x / 8) + 0.1, 0.02), noisy(rng, 0.9 * np.exp(-x / 8) + 0.15, 0.02)


def textbook_underfit(rng, n):
    x = np.arange(n)
    return noisy(rng, 0.2 * np.exp(-x / 10) + 0.8, 0.02), noisy(rng, 0.2 * np.exp(-x / 10) + 0.85, 0.02)


def textbook_overfit(rng, n):
    x = np.arange(n)
    v = 0.6 * np.exp(-x / 6) + 0.35 + 0.004 * np.maximum(0, x - n * 0.3)
    return noisy(rng, 0.95 * np.exp(-x / 8) + 0.02, 0.02), noisy(rng, v, 0.02)


TEXTBOOK: dict[str, Family] = {
    "good_fit": textbook_good, "underfitting": textbook_underfit, "overfitting": textbook_overfit,
}  # fmt: skip


def label(train: np.ndarray, val: np.ndarray) -> str:
    codes = [verdict.code for verdict in diagnose(train, val) if verdict.code != "plateau"]
    return codes[0]


def bare_rule(val: np.ndarray) -> bool:
    """The validation loss ends more than 5 % above its best, both smoothed over 8 % of the checks."""
    width = max(3, round(0.08 * len(val)))
    smooth = np.convolve(val, np.ones(width) / width, "valid")
    return bool(smooth[-1] > 1.05 * smooth.min())


def judge(name: str, families: dict[str, Family], curves: int, lengths: tuple[int, int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth, said, changes, pairs = [], [], [], []
    for code, family in families.items():
        pairs += [(code, *family(rng, int(rng.integers(*lengths)))) for _ in range(curves)]
    began = time.process_time()
    said = [label(t, v) for _, t, v in pairs]
    cost = (time.process_time() - began) / len(pairs)
    truth = [code for code, *_ in pairs]
    for _, t, v in pairs:
        seen = main_states(t, v)[5:]
        changes.append(sum(a != b for a, b in pairwise(seen)))
    each = f1_score(truth, said, labels=list(families), average=None, zero_division=0)
    print(f"{name}: {len(pairs)} curves, macro-F1 {each.mean():.3f}, {np.mean(changes):.2f} verdict changes per curve "
          f"(at most {max(changes)}), {1e3 * cost:.2f} ms CPU per curve")  # fmt: skip
    overfits = [code == "overfitting" for code in truth]
    both = {"diagnose": ["overfitting" in diagnose(t, v) for _, t, v in pairs],
            "bare rule": [bare_rule(v) for *_, v in pairs]}  # fmt: skip
    print("  overfitting or not: " + ", ".join(
        f"{who} macro-F1 {f1_score(overfits, said, average='macro'):.3f}" for who, said in both.items()))  # fmt: skip
    for code, f1 in zip(families, each, strict=True):
        wrong = [s for t, s in zip(truth, said, strict=True) if t == code and s != code]
        mistaken = ", ".join(f"{n} {wrong.count(n)}" for n in sorted(set(wrong)))
        mine = np.mean([c for c, t in zip(changes, truth, strict=True) if t == code])
        print(f"  {code:20} F1 {f1:.2f}  changes {mine:.2f}  {'taken for ' + mistaken if mistaken else ''}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--curves", type=int, default=200, help="per family")
    args = parser.parse_args()
    judge("families used for tuning", TUNING, args.curves, (25, 200), 1)
    judge("families kept apart", APART, args.curves, (25, 300), 2)
    judge("textbook curves", TEXTBOOK, args.curves, (50, 101), 3)


if __name__ == "__main__":
    main()
