"""A row of a ranking as a kept model: what was ranked on folds is trained again as one run is, and saved."""

import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from omegaconf import DictConfig, OmegaConf

from fulmen.config.allow_list import locate
from fulmen.config.check import check_overrides
from fulmen.config.mistakes import as_text
from fulmen.config.outside import said_of
from fulmen.errors import FulmenError
from fulmen.registry.bundle import check_model
from fulmen.registry.names import check_name, model_name
from fulmen.registry.save import save_run
from fulmen.registry.versions import Version
from fulmen.runs.reading import read_result
from fulmen.workload import Workload

RANKING = "ranking.json"


@dataclass(frozen=True)
class Row:
    """One row of a ranking.

    Attributes:
        model: its name in the table.
        override: what chooses it; "" for the experiment as it stands, None for a baseline.
        baseline: whether it is one.
    """

    model: str
    override: str | None = None
    baseline: bool = False


@dataclass(frozen=True)
class Ranked:
    """What a ranking says of itself: the experiment, the overrides that all rows share, the rows in their order."""

    folder: Path
    experiment: str
    overrides: list[str]
    rows: list[Row]


def ranking_file(path: str | Path) -> Path | None:
    """The ranking.json that `path` is or holds; None if it is no ranking."""
    for file in (Path(path), Path(path) / RANKING):
        if file.name == RANKING and file.is_file():
            return file
    return None


def read_ranking(path: str | Path) -> Ranked:
    """The ranking in a folder of outputs/rankings, or its ranking.json.

    Raises:
        FulmenError: there is none, it is damaged, or it is older than rows that can be kept.
    """
    file = ranking_file(path)
    if file is None:
        raise FulmenError(f"{path} is no ranking: it holds no {RANKING}; `fulmen rank EXPERIMENT` writes one")
    try:
        known = json.loads(file.read_text())
        if "rows" not in known:
            raise FulmenError(f"{file} was written before rows could be kept; rank again")
        rows = [Row(str(row["model"]), row["override"], bool(row["baseline"])) for row in known["rows"]]
        return Ranked(file.parent, str(known["experiment"]), list(map(str, known["shared"])), rows)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FulmenError(f"{file} is damaged: {type(error).__name__}: {error}") from error


def keep_row(
    ranking: str | Path, row: int, name: str, note: str = "", exist: Literal["version", "error"] = "version",
    registry: str | Path | None = None, overrides: Sequence[str] = (),
) -> Version:  # fmt: skip
    """Train a row of a ranking again, as one run of the experiment on its usual split, and keep it.

    Args:
        row: its place in the table, from 1.
        overrides: added to those of the ranking; with an `output_dir` the training there goes on, if it has begun.

    Raises:
        FulmenError: no such row, a baseline with nothing to keep, a training that fails, a name that cannot be.
    """
    check_name(name)
    ranked = read_ranking(ranking)
    if not 1 <= row <= len(ranked.rows):
        raise FulmenError(f"--row {row}: {ranked.folder} has rows 1 to {len(ranked.rows)}")
    chosen = ranked.rows[row - 1]
    typed = [f"experiment={ranked.experiment}", *ranked.overrides, *overrides]
    note = note or f"row {row} of {ranked.folder}: {chosen.model}, trained again on the usual split"
    folder = train_row(chosen, typed)
    return save_run(folder, name, note, exist, registry, [*ranked.overrides, *overrides])


def keep_best(ranking: str | Path, count: int) -> list[Version]:
    """Keep the first `count` rows of a ranking, each under the name of experiment and model.

    A baseline that leaves nothing to keep is passed over, and a line says so.

    Raises:
        FulmenError: a training fails, or a model cannot be saved.
    """
    ranked = read_ranking(ranking)
    saved: list[Version] = []
    for number, row in enumerate(ranked.rows, 1):
        if len(saved) == count:
            break
        cfg = check_overrides([f"experiment={ranked.experiment}", *ranked.overrides])
        if row.baseline and baseline_node(cfg, row.model) is None:
            print(f"row {number}, {row.model}, is not kept: it is a rule, nothing of it can take a network's place")
            continue
        saved.append(keep_row(ranking, number, model_name(f"{ranked.experiment}-{row.model}")))
    if saved:
        print(f"kept as models: {', '.join(map(str, saved))} (fulmen models list)", flush=True)
    return saved


def train_row(row: Row, typed: Sequence[str]) -> Path:
    """The folder of a run of what a row is.

    Args:
        typed: experiment and overrides that all rows share.
    """
    from fulmen.runs.fitted import run_fitted
    from fulmen.runs.run import run

    if row.baseline:
        cfg = check_overrides(list(typed))
        folder = Path(cfg.output_dir)
        if read_result(folder).get("status") == "completed":
            return folder
        return run_fitted(as_estimator(cfg, row.model), typed).folder
    whole = [*typed, *([row.override] if row.override else [])]
    cfg = check_overrides(whole)
    if (Path(cfg.output_dir) / "checkpoints" / "last.ckpt").is_file():
        whole = [f"resume={as_text(cfg.output_dir)}", *said_of(Path(cfg.output_dir), whole)]
        cfg = check_overrides(whole)
    return run(cfg, whole).folder


def as_estimator(cfg: DictConfig, baseline: str) -> DictConfig:
    """The config with the network replaced by what predicts as a baseline does.

    Raises:
        FulmenError: nothing of that baseline is fitted that could be kept.
    """
    node = baseline_node(cfg, baseline)
    if node is None and "network" not in cfg.model:
        raise FulmenError(f"{baseline} cannot be kept as a model: {cfg.model['_target_']} takes no network to replace")
    if node is None:
        raise FulmenError(
            f"{baseline} cannot be kept as a model; the hook baseline_network of "
            f"{cfg.model['_target_']} knows none for it"
        )
    whole = deepcopy(cfg)
    whole.model.network = node
    check_model(OmegaConf.to_container(whole.model))
    return whole


def baseline_node(cfg: DictConfig, baseline: str) -> dict[str, Any] | None:
    """The config of a network that predicts as a baseline does; None: there is none, or the model takes no network."""
    if "network" not in cfg.model:
        return None
    contender = cast(type[Workload], locate(cfg.model["_target_"]))
    network = cast(dict[str, Any], OmegaConf.to_container(cfg.model.network))
    return contender.baseline_network(baseline, network)
