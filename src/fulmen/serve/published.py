"""The published trainings of stocks as searches, and what came of them in the terms of the published interface.

"fast" is a search over the network alone, with one training for each; "optimized" has a search of its own for each
network. Both choose by the root mean squared error of prices on the validation split, and keep all in the job's folder.
"""

import csv
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from fulmen.config.mistakes import as_text
from fulmen.launch.found import Entry
from fulmen.runs.reading import read_result
from fulmen.serve.published_models import ALL, name_of, networks
from fulmen.serve.settings import Settings

BY = "train-advanced"
SCORES = "fulmen.workloads.stocks.price_scores.PriceScores"
SEARCHES = {"random": "random", "grid": "grid", "bayesian": "tpe"}
EPOCHS = (10, 20, 30, 50)  # of the published space
PARAMETERS = {
    "learning_rate": "model.optimizer.lr", "batch_size": "data.batch_size", "dropout_rate": "model.network.dropout",
    "epochs": "trainer.max_epochs", "activation": "model.network.activation",
}  # fmt: skip
METRICS = ("mae", "rmse", "mape", "r2", "accuracy", "pearson_corr")


class TrainAdvanced(BaseModel):
    """What the published training takes; every key may be left out."""

    model_config = ConfigDict(extra="forbid")

    mode: Literal["fast", "optimized"] = "fast"
    model_ids: Annotated[list[int] | None, Field(min_length=1, max_length=30, description="1 to 30; null: all")] = None
    lookback: Annotated[int, Field(ge=10, le=120, description="days in a window")] = 60
    horizon: Annotated[int, Field(ge=1, le=30, description="days ahead")] = 1
    epochs: Annotated[int, Field(ge=1, le=1000, description="fast: of each training")] = 1
    batch_size: Annotated[int, Field(ge=1, le=4096, description="fast: of each training")] = 32
    optimization_strategy: Literal["random", "grid", "bayesian"] = "random"
    n_trials: Annotated[int, Field(ge=1, le=1000, description="optimized: for each model")] = 20
    wait: Annotated[bool, Field(description="false: answer 202 with the job at once")] = True

    @property
    def ids(self) -> list[int]:
        """The models that are asked for, each once."""
        return sorted(set(self.model_ids or ALL))


def overrides_of(asked: TrainAdvanced, settings: Settings) -> tuple[str, list[str]]:
    """Experiment and overrides of the search that does what is asked for."""
    chosen = "network=" + ",".join(networks()[number] for number in asked.ids)
    most = settings.stocks_epochs
    shared = [
        f"data.lookback_days={asked.lookback}", f"data.horizon_days={asked.horizon}", "monitor=val/rmse", "mode=min",
        f"+callbacks.price_scores._target_={SCORES}", "search.pruner=none", "search.champion_seeds=0",
    ]  # fmt: skip
    if settings.stocks_csv:
        shared.append(f"data.csv={as_text(str(settings.stocks_csv))}")
    if asked.mode == "fast":
        epochs = min(asked.epochs, most or asked.epochs)
        own = ["search=grid", f"search.joint={as_text(chosen)}", f"trainer.max_epochs={epochs}"]
        return "stocks_fast", [*own, f"data.batch_size={asked.batch_size}", *shared]
    own = [f"search={SEARCHES[asked.optimization_strategy]}", f"search.trials={asked.n_trials}",
           "search/space=published", f"search.each={as_text(chosen)}"]  # fmt: skip
    if most is not None:
        few = [epochs for epochs in EPOCHS if epochs <= most] or [most]
        own.append(f"search.space.trainer.max_epochs={as_text({'choices': few})}")
    return "stocks", [*own, *shared]


def is_published(entry: Entry) -> bool:
    """Whether a job is one of these."""
    return entry.job.by.partition(":")[0] == BY


def mode_of(entry: Entry) -> Literal["fast", "optimized"]:
    """What was asked for."""
    return "fast" if entry.job.experiment == "stocks_fast" else "optimized"


def said(entry: Entry, key: str) -> str:
    """What the overrides of a job say for `key`; "" if nothing."""
    found = (each.partition("=")[2].strip("'\"") for each in entry.job.overrides if each.startswith(f"{key}="))
    return next(found, "")


def models_of(entry: Entry) -> list[int]:
    """The models that a job was asked for."""
    chosen = said(entry, "search.joint") or said(entry, "search.each")
    return [name_of(network)[0] for network in chosen.partition("=")[2].split(",")]


def results(entry: Entry) -> list[dict[str, Any]]:
    """One object for each model that was trained, by its number; its best training counts."""
    fast = mode_of(entry) == "fast"
    files = [entry.folder / "leaderboard.csv"] if fast else sorted(entry.folder.glob("[0-9]*_*/leaderboard.csv"))
    if not fast and not files and (entry.folder / "leaderboard.csv").is_file():
        files = [entry.folder / "leaderboard.csv"]
    found = [one for file in files for one in (_fast(file, entry) if fast else _optimized(file, entry))]
    return sorted(found, key=lambda each: each["model_id"])


def _fast(file: Path, entry: Entry) -> Iterator[dict[str, Any]]:
    for row in _complete(file):
        number, name = name_of(row["network"])
        yield {"model_id": number, "model_name": name, **_trained(file.parent, row, entry)}


def _optimized(file: Path, entry: Entry) -> Iterator[dict[str, Any]]:
    rows, trials = _complete(file), _rows(file)
    if not rows:
        return
    best = rows[0]
    network = file.parent.name if file.parent != entry.folder else networks()[models_of(entry)[0]]
    number, name = name_of(network)
    trained = _trained(file.parent, best, entry)
    yield {
        "model_id": number, "model_name": name, "best_rmse": trained["rmse"],
        "best_params": {key: _number(best.get(path) or "") for key, path in PARAMETERS.items()},
        "n_trials": len(trials), "elapsed_time": round(sum(float(row["seconds"] or 0) for row in trials), 3), **trained,
    }  # fmt: skip


def _trained(study: Path, row: Mapping[str, str], entry: Entry) -> dict[str, Any]:
    """What one training reached in its best epoch, in units of the price on the validation split."""
    folder = study / f"trial_{int(row['trial']):04d}"
    scores = scores_of(folder)
    place = folder.relative_to(entry.folder).as_posix()
    return {"version": f"{entry.folder.name}/{place}", "run": f"{entry.job.folder}/{place}", **scores}


def scores_of(folder: Path) -> dict[str, float | None]:
    """The scores of prices of a run, of the epoch whose weights it keeps; None where one is not known."""
    rows = [row for row in _rows(folder / "metrics.csv") if row.get("val/rmse")]
    if rows:
        best: Mapping[str, Any] = min(rows, key=lambda row: float(row["val/rmse"]))
    else:
        best = read_result(folder).get("metrics", {})
    names = (*METRICS, "persistence_rmse")
    return {name: _number(str(best.get(f"val/{name}", ""))) for name in names}


def winner(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The model of the smallest error."""
    return min(found, key=lambda each: float("inf") if each["rmse"] is None else each["rmse"])


def _complete(file: Path) -> list[dict[str, str]]:
    return [row for row in _rows(file) if row.get("place")]


def _rows(file: Path) -> list[dict[str, str]]:
    with suppress(OSError, csv.Error), open(file, newline="") as lines:
        return list(csv.DictReader(lines))
    return []


def _number(text: str) -> Any:
    """A number as one, "" as None, anything else as it is."""
    with suppress(ValueError):
        value = float(text)
        return int(value) if value.is_integer() and "." not in text and "e" not in text.lower() else value
    return text or None
