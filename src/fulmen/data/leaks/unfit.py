"""What makes data unfit to be judged by: one class, one group, too few rows, times without order."""

from collections.abc import Iterator

import numpy as np

from fulmen.data.leaks.leak import Leak, Severity
from fulmen.data.leaks.samples import SPLITS, TEST, TRAIN, VALIDATION, Samples
from fulmen.report.words import counted

FEW = 20  # samples of the test split: fewer say next to nothing of a model
SPREAD = 10.0  # times that a long step in time may be as long as a short one (90th and 10th percentile)
STEPS = 20  # in time, below which nothing is said of them


def unfit(samples: Samples) -> list[Leak]:
    """Mistakes in the data, which are no leaks and make scores worthless all the same."""
    return [*_targets(samples), *_groups(samples), *_rows(samples), *_times(samples)]


def _targets(samples: Samples) -> Iterator[Leak]:
    """A target of one value, or splits of one class."""
    used = samples.target[samples.split >= 0]
    if len(used) and _values(used) < 2:
        yield Leak("constant_target", "error", f"{samples.target_name} has one value alone: there is nothing to learn",
                   evidence={"count": len(used)})  # fmt: skip
    elif samples.kind == "classes" and samples.target.ndim == 1:
        for number, name in enumerate(SPLITS):
            if len(rows := samples.rows(number)) and _values(samples.target[rows]) < 2:
                finding = f"all {len(rows):,} {samples.sample}s of the {name} split are of one class"
                yield Leak("one_class_in_a_split", "error" if number != VALIDATION else "warning", finding,
                           evidence={"split": name, "count": len(rows)})  # fmt: skip


def _values(target: np.ndarray) -> int:
    """How many different values there are, missing ones left out."""
    flat = target.ravel()
    return len(np.unique(flat[flat == flat]))


def _groups(samples: Samples) -> Iterator[Leak]:
    if samples.group is None or samples.splitting != "group":
        return
    if len(np.unique(samples.group[samples.split >= 0])) == 1:
        finding = "there is one group, and the splits are to hold different ones"
        yield Leak("one_group", "error", finding, evidence={"groups": 1}, cures=("data.split=time",))


def _rows(samples: Samples) -> Iterator[Leak]:
    """Splits that are empty or next to empty."""
    counts = {name: len(samples.rows(number)) for number, name in enumerate(SPLITS)}
    train, test = counts[SPLITS[TRAIN]], counts[SPLITS[TEST]]
    if train < 2 or test < FEW:
        said = f"{counted(train, samples.sample)} to train on and {test:,} to test on"
        severity: Severity = "error" if min(train, test) < 2 else "warning"
        yield Leak("too_few_rows", severity, f"there are too few rows for a verdict: {said}", evidence=counts)
    elif not counts[SPLITS[VALIDATION]]:
        finding = "there is no validation split: nothing says when to stop, and what overfits"
        yield Leak("no_validation", "note", finding, evidence=counts)


def _times(samples: Samples) -> Iterator[Leak]:
    """Rows that are not in the order of their times, and steps of very different lengths; both are notes."""
    if samples.time is None or not np.isfinite(samples.time).any():
        return
    time = np.asarray(samples.time, float)
    group = np.zeros(len(time), int) if samples.group is None else np.unique(samples.group, return_inverse=True)[1]
    place = np.arange(len(time)) if samples.order is None else samples.order
    steps = _steps(time, group, place)
    if (back := int((steps < 0).sum())) and samples.order is not None:
        finding = f"the times of {counted(back, samples.sample)} lie before those of the row above"
        yield Leak("unsorted_times", "note", finding, evidence={"count": back})
    steps = _steps(time, group, time)
    steps = steps[steps > 0]
    if len(steps) >= STEPS:
        short, long = np.quantile(steps, (0.1, 0.9))
        if long > SPREAD * short:
            finding = f"steps in time differ much: one in ten is below {short:.3g}, one in ten above {long:.3g}"
            yield Leak("irregular_times", "note", finding, evidence={"short": float(short), "long": float(long)})


def _steps(time: np.ndarray, group: np.ndarray, place: np.ndarray) -> np.ndarray:
    """From each sample to the next one of its group, in the order of `place`; unknown times left out."""
    order = np.lexsort((place, group))
    order = order[np.isfinite(time[order])]
    return np.diff(time[order])[np.diff(group[order]) == 0]
