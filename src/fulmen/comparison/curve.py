"""`fulmen curve EXPERIMENT`: does more data help? The experiment trained on shares of its training samples."""

import csv
import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from fulmen.callbacks.train_share import PROBE
from fulmen.comparison.find_or_run import completed_run, trained
from fulmen.comparison.learning_curve import Law, Points, Verdict, judge, shares_of
from fulmen.config.check import check_overrides
from fulmen.config.mistakes import ConfigError, as_text, key_of
from fulmen.config.schema import refuse_unknown
from fulmen.data.batches import size
from fulmen.errors import FulmenError
from fulmen.report.document import Figure, Report, Rows, Section, TableOf
from fulmen.report.figures import COOL, INK, MODEL, MUTED, figure
from fulmen.report.html import write as write_report
from fulmen.report.summary import print_table
from fulmen.runs.run_folder import Run
from fulmen.utils.files import write_json
from fulmen.utils.progress import ProgressFile
from fulmen.workload import splits_of

SHARE = "callbacks.train_share"
SHARES = (0.125, 0.25, 0.5)
FIGURE, VAL = "curve.svg", "val/loss"
NOTES = (
    "Loss: the lowest validation loss of each run. Training loss: of training samples that the run had, at that epoch, "
    "taken as the validation loss is. The test split is not looked at. Each training takes as many steps as one on "
    "all data, so a smaller share is gone through more often.",
    "A larger share holds all samples of a smaller one with the same seed. Of series the latest are kept, of groups "
    "whole ones, of classes the same share of each. What the data themselves fit to the training split, such as "
    "fillings of gaps, they fit to all of it.",
    "The law is floor + scale n^-exponent, fitted to all runs; beyond the data it is a guess.",
)


def curve(
    experiment: str, overrides: Sequence[str] = (), shares: Sequence[float] = SHARES, seeds: int = 3,
    outputs: str | Path = "outputs", out: str | Path | None = None,
) -> Path:  # fmt: skip
    """Train an experiment on shares of its training samples, and say what more of them would bring.

    Args:
        overrides: as train.py takes them.
        shares: of the training samples, beside all of them.
        seeds: trainings of each share, from the config's seed on.
        outputs: folder that holds runs/; runs that are there already are used again.
        out: folder of the report; by default outputs/curves/<experiment>_<stamp>.

    Returns:
        The folder of the report and of curve.json.

    Raises:
        FulmenError: no such experiment, a mistake in the config, shares that are none, or no validation loss.
    """
    wanted = shares_of(shares)
    if seeds < 2:
        raise FulmenError(f"seeds is {seeds}; what chance does shows only in 2 or more")
    plans = _plans(experiment, overrides, wanted, seeds, Path(outputs))
    folder = Path(out or Path(outputs, "curves", f"{experiment}_{datetime.now():%Y-%m-%d_%H-%M-%S}"))
    found: dict[tuple[float, int], tuple[float, float]] = {}
    with ProgressFile(folder, "runs") as progress:
        for number, (place, typed) in enumerate(plans.items()):
            name = f"{place[0]:.3g} of the data, seed {place[1]}"
            progress.update(number, len(plans), what=name)
            run = _run(name, typed, Path(outputs))
            found[place] = losses_of(run)
    points = _points(found, wanted, size(splits_of(Run(run).data)["train"]))
    verdict = judge(points)
    write(folder, experiment, points, wanted, verdict)
    return folder


def _plans(
    experiment: str, overrides: Sequence[str], shares: Sequence[float], seeds: int, outputs: Path
) -> dict[tuple[float, int], list[str]]:
    """(share, seed) -> what one types; all of it is checked before the first training."""
    refuse_unknown(experiment)
    given = {key_of(each) for each in overrides} & {"seeds", "folds", "resume", "output_dir"}
    if given:
        raise FulmenError(f"curve: leave out {', '.join(sorted(given))}; each share is trained with --seeds seeds")
    shared = [f"experiment={experiment}", *overrides]
    try:
        base = check_overrides(shared)
    except ConfigError as error:
        mended = [o for o in error.overrides if key_of(o) != "experiment"] if error.overrides else None
        raise ConfigError(error.mistakes, mended, f"fulmen curve {experiment}", error.without) from error
    plans, first = {}, int(base.seed)
    for share in shares:
        steps = as_many_steps(base, share)
        for seed in range(first, first + seeds):
            own = [*steps, f"seed={seed}", "test=false", f"+{SHARE}._target_=fulmen.callbacks.train_share.TrainShare",
                   f"+{SHARE}.share={share:g}", f"+{SHARE}.seed={seed}"]  # fmt: skip
            if outputs != Path("outputs"):
                place = outputs / "runs" / experiment / f"share_{share:g}_seed_{seed}_{datetime.now():%H-%M-%S-%f}"
                own.append(f"output_dir={as_text(str(place))}")
            given = {key_of(each) for each in own}
            plans[share, seed] = [*(each for each in shared if key_of(each) not in given), *own]
    check_overrides(plans[shares[0], first])
    return plans


def as_many_steps(cfg: DictConfig, share: float) -> list[str]:
    """Overrides by which a training on a share takes as many steps, and is validated as often, as one on all."""
    epochs, every = cfg.trainer.get("max_epochs"), cfg.trainer.get("check_val_every_n_epoch", 1)
    if share == 1 or not epochs or epochs < 1 or cfg.trainer.get("max_steps", -1) != -1 or not every:
        return []
    times = round(1 / share)
    return [f"trainer.max_epochs={epochs * times}", f"trainer.check_val_every_n_epoch={every * times}"]


def _run(name: str, typed: list[str], outputs: Path) -> Path:
    cfg = check_overrides(typed)
    return completed_run(cfg, outputs) or trained(name, cfg, typed, outputs)


def losses_of(folder: Path) -> tuple[float, float]:
    """Validation and training loss at the epoch where the former is lowest.

    Raises:
        FulmenError: the run has logged no validation loss.
    """
    with (folder / "metrics.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get(VAL)]
    if not rows:
        raise FulmenError(f"{folder} has logged no {VAL}; a learning curve is one of validation losses")
    best = min(rows, key=lambda row: float(row[VAL]))
    return float(best[VAL]), float(best.get(PROBE) or "nan")


def _points(found: dict[tuple[float, int], tuple[float, float]], shares: Sequence[float], of_all: int) -> Points:
    seeds = sorted({seed for _, seed in found})
    table = np.array([[found[share, seed] for seed in seeds] for share in shares])  # [P, S, 2]
    return Points(np.round(np.array(shares) * of_all), table[..., 0], table[..., 1])


def write(folder: Path, experiment: str, points: Points, shares: Sequence[float], verdict: Verdict) -> None:
    """Write report.html, report.md, curve.svg and curve.json, and print the table and the verdict."""
    rows: Rows = [
        {"share": f"{share:.3g}", "training samples": int(n), "validation loss": float(val.mean()),
         "sd": float(val.std(ddof=1)), "training loss": float(train.mean())}
        for share, n, val, train in zip(shares, points.samples, points.val, points.train, strict=True)
    ]  # fmt: skip
    draw(folder / FIGURE, points, verdict.law)
    report = Report(
        title=f"{experiment}: does more data help?",
        question=f"What would more training samples bring to {experiment}?",
        answer=str(verdict),
        how_sure=f"{points.val.shape[1]} seeds of each share; intervals are over the seeds.",
        facts=f"{points.val.size} trainings on {len(shares)} shares of the training split.",
        lead=Figure("Validation and training loss over the number of training samples, and the law", FIGURE),
        main=TableOf("Losses, mean over the seeds", rows),
        sections=[Section("How to read this", NOTES, listed=True)],
    )
    write_json(folder / "curve.json", {
        "experiment": experiment, "outcome": verdict.outcome, "sentence": str(verdict), "shares": list(shares),
        "training_samples": points.samples.tolist(), "val": points.val.tolist(), "train": points.train.tolist(),
        "law": asdict(verdict.law), "halved": verdict.halved, "doubled": verdict.doubled, "gap": verdict.gap,
        "better_share": verdict.better_share if math.isfinite(verdict.better_share) else None,
    })  # fmt: skip
    path = write_report(report, folder)
    print_table("Losses, mean over the seeds", rows)
    print(verdict)
    print(f"report: {path.with_suffix('.html')}")


def draw(path: Path, points: Points, law: Law) -> None:
    """Losses of all runs over the number of samples, the law, and its guess up to twice the data."""
    most = points.samples[-1]
    within, beyond = np.geomspace(points.samples[0], most, 50), np.geomspace(most, 2 * most, 20)
    with figure(path) as ax:
        ax.plot(within, law.at(within), color=INK, linewidth=1)
        ax.plot(beyond, law.at(beyond), color=MUTED, linewidth=1, linestyle=":", label="law, beyond the data")
        for name, values, color in (("validation", points.val, MODEL), ("training", points.train, COOL[0])):
            repeated = np.repeat(points.samples, values.shape[1])
            ax.plot(repeated, values.ravel(), ".", color=color, label=name)
        ax.set_xscale("log")
        ax.set(xlabel="training samples", ylabel="loss")
        ax.legend(loc="best")
