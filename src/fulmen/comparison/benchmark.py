"""`fulmen rank EXPERIMENT`: every variant of an experiment and its baselines, on the same folds, fairly compared.

Its model class says what is special about an experiment: see `fulmen.Workload.cross_validate`, `ranking_metrics`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from fulmen.comparison.multirun import MEDALS, holm
from fulmen.comparison.statistics import corrected_t_test
from fulmen.comparison.unfinished import Unfinished
from fulmen.config.allow_list import locate
from fulmen.config.check import build, check_overrides
from fulmen.config.compose import expand
from fulmen.config.mistakes import ConfigError, did_you_mean, key_of
from fulmen.config.schema import choices
from fulmen.config.stored import moved
from fulmen.errors import FulmenError
from fulmen.registry.rows import keep_best
from fulmen.report import known
from fulmen.report.contest import Contest, Variant
from fulmen.report.summary import Rows, markdown_table, print_table
from fulmen.runs.provenance import git_state
from fulmen.runs.surroundings import kept_surroundings
from fulmen.signals import interruptible
from fulmen.utils.files import atomic_write, write_json
from fulmen.utils.threads import set_threads
from fulmen.workload import Workload, fingerprint_of

ALPHA = 0.05
SHOWN = 5  # places in the table on the console
NOTES = [
    "sd: over the folds. Intervals and p: t-distributions with the variance of Nadeau & Bengio (2003), as training "
    "parts overlap; intervals are cut to what is possible and not adjusted; p is of the difference from the first, "
    "two-sided, adjusted for the number of models (Holm): where the two disagree, p counts.",
    "CPU s: of training on all folds, per seed.",
]


def rank(
    experiment: str, overrides: Sequence[str] = (), metric: str | None = None, folds: int = 5, seeds: int = 1,
    outputs: str | Path = "outputs", save_top: int = 0,
) -> Path:  # fmt: skip
    """Hold the contest, print its first places and write ranking.md, ranking.json and ranking.png.

    Args:
        overrides: as train.py takes them; a sweep over the variants, say `tabular=mlp,tabm`, chooses among them.
        metric: to rank by.
        folds: of the cross-validation.
        seeds: networks for each fold, from the config's seed on.
        save_top: so many of the best rows are trained as runs and kept in the registry.

    Returns:
        The folder of the files.

    Raises:
        FulmenError: the experiment cannot be ranked, or a mistake in the config.
    """
    base = _base(experiment, overrides, folds)
    contender = locate(base.model["_target_"])
    chosen, there = metric or next(iter(contender.ranking_metrics)), list(contender.ranking_metrics)
    if chosen not in there:
        raise FulmenError(f"--metric {chosen}: there is {', '.join(there)}")
    if save_top < 0:
        raise FulmenError(f"--save-top {save_top}: it must be 0 or more")
    contest, unfinished = _held(experiment, overrides, folds, seeds, Path(outputs, "rankings", ".unfinished"))
    folder = Path(outputs, "rankings", f"{experiment}_{datetime.now():%Y-%m-%d_%H-%M-%S}")
    group = contender.variants
    chosen_by = {name: f"{group}={name}" for name in contest.scores if name in choices(group)}
    report(folder, experiment, contest, chosen, contender.ranking_metrics, overrides, chosen_by)
    unfinished.forget()
    keep_best(folder, save_top)
    return folder


def hold(experiment: str, overrides: Sequence[str] = (), folds: int = 5, seeds: int = 1) -> Contest:
    """The contest alone, nothing of it written down; arguments and errors as `rank`."""
    return _held(experiment, overrides, folds, seeds, kept=None)[0]


@kept_surroundings()
def _held(
    experiment: str, overrides: Sequence[str], folds: int, seeds: int, kept: Path | None
) -> tuple[Contest, Unfinished]:
    """The contest, and what of it lies in the folder `kept`: an interrupted contest goes on with that."""
    if folds < 2 or seeds < 1:
        raise FulmenError(f"--folds {folds} --seeds {seeds}: take 2 folds or more, 1 seed or more")
    base = _base(experiment, overrides, folds)
    contender = locate(base.model["_target_"])
    group, own = contender.variants, list(overrides)
    if not any(key_of(override) == group for override in own):
        own.append(f"{group}={','.join(choices(group))}")
    configs = {}
    for run in expand([f"experiment={experiment}", *own]):
        name = next(override.partition("=")[2] for override in run if key_of(override) == group)
        if name in configs:
            raise FulmenError(f"rank compares the choices of {group}; let nothing else vary")
        configs[name] = check_overrides(run)
    set_threads(base.threads)
    parts = [build(OmegaConf.merge(base.data, {"fold": fold}), "data") for fold in range(folds)]
    for data in parts:
        data.prepare_data()
        data.setup()
    variants = {name: Variant(_maker(cfg), cfg.trainer.max_epochs) for name, cfg in configs.items()}
    shared = {
        "data": OmegaConf.to_container(base.data),
        "fingerprints": [fingerprint_of(data) for data in parts],
        "seeds": [base.seed, seeds],
        "code": git_state(Path(__file__).parent),
    }
    unfinished = Unfinished(kept, shared, {name: _plain(cfg) for name, cfg in configs.items()})
    with interruptible(lambda: f"interrupted; {unfinished}"):
        return contender.cross_validate(
            parts, variants, [base.seed + i for i in range(seeds)], unfinished.once
        ), unfinished


def places(contest: Contest, metric: str, larger: bool) -> Rows:
    """One row per candidate, best mean first: mean, interval, and the paired difference from the first."""
    order = sorted(contest.scores, key=lambda name: known.place(float(contest.scores[name][metric].mean()), larger))
    first = contest.scores[order[0]][metric]
    ratio = contest.train_rows, contest.test_rows
    behind = {name: corrected_t_test(contest.scores[name][metric] - first, *ratio) for name in order[1:]}
    p = dict(zip(behind, holm([each.p for each in behind.values()]), strict=True))
    rows = []
    for place, name in enumerate(order, 1):
        own = corrected_t_test(contest.scores[name][metric], *ratio)
        row = {
            "": f"{MEDALS[place - 1]} {place}" if place <= len(MEDALS) else str(place),
            "model": name,
            metric: own.mean,
        }
        low, high = (0.0, math.inf if "loss" in metric else 1.0)
        row |= {"sd": float(contest.scores[name][metric].std(ddof=1)), "from": max(own.low, low)}
        row |= {"to (95 %)": min(own.high, high)}
        row |= {"difference": behind[name].mean, "± (95 %)": behind[name].high - behind[name].mean, "p": p[name]} if (
            name in behind) else {"difference": None, "± (95 %)": None, "p": None}  # fmt: skip
        rows.append(row | {"CPU s": contest.seconds[name]})
    return rows


def verdict(rows: Rows, metric: str) -> str:
    """Who leads, and whom the leader has not been shown to differ from."""
    leader, level = rows[0]["model"], [row["model"] for row in rows[1:] if not row["p"] < ALPHA]
    if len(rows) == 1:
        return f"{leader} stands alone."
    if not level:
        return f"{leader} has the best {metric}, and every other differs from it (p < {ALPHA:g})."
    return f"{leader} has the best mean {metric}; it is not shown to differ from {', '.join(level)} (p >= {ALPHA:g})."


def report(
    folder: Path, experiment: str, contest: Contest, metric: str, metrics: Mapping[str, bool], overrides: Sequence[str],
    chosen_by: Mapping[str, str],
) -> None:  # fmt: skip
    """Print the first places; write ranking.md, ranking.json and ranking.png into `folder`.

    Args:
        chosen_by: model -> the override that chooses it; the others are baselines.
    """
    rows = places(contest, metric, metrics[metric])
    said = verdict(rows, metric)
    folds = len(next(iter(contest.scores.values()))[metric])
    title = f"{experiment}: {len(rows)} models on the same {folds} folds, best {metric} first"
    means = [
        {"": row["model"], **{name: float(contest.scores[row["model"]][name].mean()) for name in metrics}}
        for row in rows
    ]
    sds = [
        {"": row["model"], **{name: float(contest.scores[row["model"]][name].std(ddof=1)) for name in metrics}}
        for row in rows
    ]
    ceiling = contest.ceiling.get(metric)
    chance = contest.chance.get(metric)
    best = f"The best that is possible: {metric} {ceiling:.4f}." if ceiling else ""
    best += f"{' ' * bool(best)}Chance: {metric} {chance:.4f}." if chance else ""
    lines = [f"# {title}", said, best, markdown_table(rows), "![ranking](ranking.png)",
             "## All metrics, mean over the folds", markdown_table(means),
             "## Their standard deviations over the folds", markdown_table(sds),
             "## How to read this", "\n".join(f"- {note}" for note in [*NOTES, *contest.notes]),
             f"Overrides: `{' '.join(overrides) or 'none'}`."]  # fmt: skip
    with atomic_write(folder / "ranking.md") as file:
        file.write("\n\n".join(filter(None, lines)) + "\n")
    write_json(folder / "ranking.json", {
        "experiment": experiment, "overrides": list(overrides), "metric": metric, "verdict": said,
        "shared": [o for o in overrides if key_of(o) not in {key_of(one) for one in chosen_by.values()}],
        "rows": [{"model": row["model"], "override": chosen_by.get(row["model"])} for row in rows],
        "ceiling": contest.ceiling, "chance": contest.chance, "cpu_seconds": contest.seconds,
        "train_rows": contest.train_rows, "test_rows": contest.test_rows,
        "scores": {name: {key: values.tolist() for key, values in each.items()}
                   for name, each in contest.scores.items()},
    })  # fmt: skip
    draw(folder / "ranking.png", rows, metric, ceiling, chance)
    print_table(title, rows[:SHOWN])
    print("\n".join(filter(None, [said, best, f"ranking: {folder / 'ranking.md'}"])))


def draw(path: Path, rows: Rows, metric: str, ceiling: float | None, chance: float | None = None) -> None:
    """Dots with intervals, the best at the top: the axis need not begin at zero."""
    from fulmen.report.figures import COOL, INK, MODEL, figure

    with figure(path, 1, 1, (7, 1 + 0.32 * len(rows))) as ax:
        for i, row in enumerate(rows):
            color = MODEL if i == 0 or not row["p"] < ALPHA else COOL[0]
            ax.plot([row["from"], row["to (95 %)"]], [i, i], color=color, linewidth=1.4)
            ax.plot(row[metric], i, "o", color=color, markersize=6)
        if ceiling is not None:
            ax.axvline(ceiling, color=INK, linestyle="--", linewidth=0.9, label="the best that is possible")
            ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.28 / (0.3 + 0.1 * len(rows))))
        ax.set_yticks(range(len(rows)), [row["model"] for row in rows])
        ax.margins(y=0.12)
        ax.invert_yaxis()
        ax.grid(False, axis="y")
        ax.set_title("red: not shown to differ from the first; lines: 95 % intervals")
        ax.set_xlabel(f"{metric}, mean over the folds" + (f" (chance: {chance:.3g})" if chance else ""))


def _base(experiment: str, overrides: Sequence[str], folds: int) -> DictConfig:
    """The config that all variants share the data of."""
    if experiment not in (there := choices("experiment")):
        raise FulmenError(f"there is no experiment {experiment}{did_you_mean(experiment, there)}")
    typed = [f"experiment={experiment}", *filter(_is_plain, overrides)]
    try:
        cfg = check_overrides(typed)
    except ConfigError as error:
        mended = [o for o in error.overrides if key_of(o) != "experiment"] if error.overrides else None
        raise ConfigError(error.mistakes, mended, f"fulmen rank {experiment}") from error
    if locate(cfg.model["_target_"]).cross_validate is Workload.cross_validate:
        raise FulmenError(
            f"experiment {experiment} cannot be ranked, its model class holds no contest; "
            "`fulmen compare` takes any two experiments"
        )
    return check_overrides([*typed, f"data.folds={folds}"])


def _plain(cfg: DictConfig) -> dict[str, Any]:
    """What a variant is, whatever folder its config was composed for."""
    plain = OmegaConf.to_container(cfg)
    return moved({name: plain[name] for name in ("model", "trainer", "data")}, str(plain["output_dir"]), "folder")


def _is_plain(override: str) -> bool:
    return len(expand([override])) == 1


def _maker(cfg: DictConfig) -> Callable[[int], Any]:
    def make(seed: int) -> Any:
        torch.manual_seed(seed)
        return build(cfg.model, "model")

    return make
