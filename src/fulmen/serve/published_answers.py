"""The answers of the published interface; keys beyond the published ones say more and may be passed over."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from fulmen.launch.found import Entry
from fulmen.serve import published
from fulmen.serve.problems import Problem
from fulmen.serve.published_models import ALL, CATEGORIES, NAMES, description
from fulmen.serve.settings import Settings

SIMULATED = "a simulated market; start the server with --stocks-csv FILE for prices of your own"


class ModelInfo(BaseModel):
    """One of the 30 networks."""

    id: int
    name: str
    description: str


class ModelsInfo(BaseModel):
    """All of them."""

    total_models: int
    models: list[ModelInfo]
    categories: dict[str, list[int]]


class Scores(BaseModel):
    """Errors of prices on the validation split, mape in per cent; those of persistence beside them."""

    version: str = Field(description="of the model: the search and the training in it")
    run: str = Field(description="its run folder, below the outputs folder")
    rmse: float | None
    mae: float | None
    mape: float | None
    r2: float | None
    pearson_corr: float | None
    accuracy: float | None = Field(description="share of right directions")
    persistence_rmse: float | None = Field(description="of the forecast that tomorrow's price is today's")


class Trained(Scores):
    """One model, trained once."""

    model_id: int
    model_name: str


class BestParams(BaseModel):
    """What the best trial was trained with."""

    learning_rate: float | None
    batch_size: int | None
    dropout_rate: float | None
    epochs: int | None
    activation: str | None


class Searched(Trained):
    """One model, searched: the best of its trials."""

    best_rmse: float | None
    best_params: BestParams
    n_trials: int
    elapsed_time: float = Field(description="seconds of all its trials")


class TrainedFast(BaseModel):
    """What came of mode "fast"."""

    status: Literal["success"] = "success"
    mode: Literal["fast"] = "fast"
    winner: Trained
    total_models: int
    results: list[Trained]
    data: str
    job_id: str


class Optimized(BaseModel):
    """What came of mode "optimized"."""

    status: Literal["success"] = "success"
    mode: Literal["optimized"] = "optimized"
    winner: Searched
    total_models_tested: int
    total_time: float
    avg_time_per_model: float
    optimization_strategy: Literal["random", "grid", "bayesian"]
    all_results: list[Searched]
    data: str
    job_id: str


class TrainProgress(BaseModel):
    """How far the newest training is."""

    status: str = Field(description="idle, queued, running, completed, failed ...")
    mode: str | None = None
    text: str = ""
    models_total: int = 0
    models_done: int = 0
    trials_total: int = 0
    trials_done: int = 0
    best: dict[str, Any] | None = None
    seconds_left: float | None = None
    job_id: str | None = None


class BestMetrics(BaseModel):
    """Of prices on the validation split."""

    mae: float | None
    rmse: float | None
    mape: float | None
    r2: float | None
    accuracy: float | None
    pearson_corr: float | None


class Best(BaseModel):
    """The best model."""

    model_id: int
    model_name: str
    version: str
    registered_at: str
    metrics: BestMetrics
    run: str


def models_info() -> ModelsInfo:
    """The 30 networks."""
    models = [ModelInfo(id=number, name=NAMES[number - 1], description=description(number)) for number in ALL]
    return ModelsInfo(total_models=len(ALL), models=models, categories={k: list(v) for k, v in CATEGORIES.items()})


def result_of(entry: Entry, settings: Settings) -> TrainedFast | Optimized:
    """What came of a job.

    Raises:
        Problem: nothing did.
    """
    found = published.results(entry)
    if not found:
        raise Problem(500, f"job {entry.job.id} has trained no model to the end; its log says why")
    data = settings.stocks_csv.name if settings.stocks_csv else SIMULATED
    best, models, id = published.winner(found), len(found), entry.job.id
    if published.mode_of(entry) == "fast":
        return TrainedFast.model_validate(
            {"winner": best, "total_models": models, "results": found, "data": data, "job_id": id}
        )
    total = seconds_of(entry)
    searches = {search: strategy for strategy, search in published.SEARCHES.items()}
    return Optimized.model_validate({
        "winner": best, "total_models_tested": models, "total_time": total,
        "avg_time_per_model": round(total / models, 3), "all_results": found, "data": data, "job_id": id,
        "optimization_strategy": searches[published.said(entry, "search")],
    })  # fmt: skip


def progress_of(entry: Entry | None) -> TrainProgress:
    """How far a job is; None: there is none."""
    if entry is None:
        return TrainProgress(status="idle", text="no training was asked for yet")
    told, models = entry.progress or {}, len(published.models_of(entry))
    fast = published.mode_of(entry) == "fast"
    each = 1 if fast else int(published.said(entry, "search.trials") or 1)
    done = models * each if entry.state == "completed" else int(told.get("done") or 0)
    text = told.get("what") or f"{entry.state}: {done} of {models * each} trainings"
    return TrainProgress(
        status=entry.state, mode=published.mode_of(entry), text=str(text), models_total=models,
        models_done=done // each, trials_total=models * each, trials_done=done, best=told.get("best"),
        seconds_left=told.get("seconds_left"), job_id=entry.job.id,
    )  # fmt: skip


def best_of(entries: Sequence[Entry]) -> Best | None:
    """The best of the trainings that have the horizon and the data of the latest; None: there are none."""
    ended = sorted(entries, key=_end)
    alike = [each for each in ended if _task(each) == _task(ended[-1])]
    found = [(one, each) for each in alike for one in published.results(each) if one["rmse"] is not None]
    if not found:
        return None
    best, entry = min(found, key=lambda pair: pair[0]["rmse"])
    metrics = BestMetrics(**{name: best[name] for name in published.METRICS})
    return Best(
        model_id=best["model_id"], model_name=best["model_name"], version=best["version"], registered_at=_end(entry),
        metrics=metrics, run=best["run"],
    )  # fmt: skip


def seconds_of(entry: Entry) -> float:
    """How long a job took."""
    began, ended = (entry.attempt.began, entry.attempt.ended) if entry.attempt else ("", None)
    if not began or not ended:
        return 0.0
    return round((datetime.fromisoformat(ended) - datetime.fromisoformat(began)).total_seconds(), 3)


def _end(entry: Entry) -> str:
    return (entry.attempt.ended if entry.attempt else None) or entry.job.created


def _task(entry: Entry) -> tuple[str, str]:
    return published.said(entry, "data.horizon_days"), published.said(entry, "data.csv")
