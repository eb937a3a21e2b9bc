"""The evaluation of a PBPK surrogate on its test split: against the solver, beside the baselines."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from fulmen.report.document import Rows
from fulmen.report.evidence import NOTE
from fulmen.report.summary import Summary
from fulmen.report.test_predictions import METRIC, identities, ratio_scores
from fulmen.report.words import spoken
from fulmen.workloads.pbpk import baselines, figures, intervals, law_table
from fulmen.workloads.pbpk.metrics import (
    FLOOR,
    exposure_errors,
    log_error,
    log_normalized,
    log_spread,
    metrics,
    of_subjects,
)
from fulmen.workloads.pbpk.simulator.physiology import ORGANS
from fulmen.workloads.pbpk.simulator.population import ROUTES
from fulmen.workloads.pbpk.verdict import CONSTANT, answer, verdict

SHOWN = ("r2_log", "r2", "rmse_mg_per_l", "mae_mg_per_l", "gmfe", "within_10_percent", "auc_gmfe", "cmax_gmfe",
         "rmse_log10", "mae_log10", "within_2_fold")  # fmt: skip
LEADING = ("r2_log", "gmfe", "within_10_percent", "auc_gmfe")
NOTES = [
    "t = 0 is left out everywhere: there the concentration follows from the dose.",
    "Log scale: log10(C W / dose + 0.001), W the body weight in kg = L. GMFE and shares take the points (AUC, Cmax: "
    "the curves) that reach C W / dose = 0.001.",
    "mean curve: geometric mean of the dose-normalised training curves; 5 nearest: mean of the five nearest training "
    "subjects; one compartment: the reduced model that the network starts from, organs at equilibrium; linear physics: "
    "the exact solution of all organs without saturation.",
]


def summarize(
    said: Mapping[str, Tensor], data: Any, folder: Path | None, ask: law_table.Ask, margin: float = 0.1
) -> Summary:  # fmt: skip
    """Metrics, tables and figures of predictions for the test split of `data`.

    Args:
        said: `concentration_mg_per_l` [S, 14, T]; `low_90_mg_per_l`, `high_90_mg_per_l` and `in_domain`, if known.
        folder: where figures go; None draws none.
        ask: the network, of other subjects.
        margin: share of what differs between subjects from which on it is a signal.
    """
    test, predicted = data.splits["test"], said["concentration_mg_per_l"]
    true, dose, weight = test["concentration"], test["dose_mg"], test["weight_kg"]
    subjects = data.population[test["subject"]]
    times, later = data.all_times_h, data.all_times_h > 0
    predictions = {
        "network": predicted.double(),
        CONSTANT: baselines.mean_curve(data.splits["train"], test),
        "5 nearest": baselines.nearest_neighbours(data.splits["train"], test),
        "one compartment": baselines.reduced_physics(subjects, times[later], data.kinetics, data.reduced),
        "linear physics": baselines.linear_physics(subjects, times)[:, :, later],
    }
    if data.kinetics == "linear":
        del predictions["linear physics"]  # there it is the solver itself
    scores = {
        name: metrics(c, true, dose, weight) | exposure_errors(c, true, dose, weight, data.time_h)
        for name, c in predictions.items()
    }
    per_organ = {
        organ: metrics(predicted[:, number], true[:, number], dose, weight) for number, organ in enumerate(ORGANS)
    }
    worst = min(per_organ, key=lambda organ: per_organ[organ]["r2_log"])
    main = scores.pop("network")
    errors = {name: log_error(c, true, dose, weight) for name, c in predictions.items()}
    laws = law_table.laws(ask, predicted, true, subjects, times[later], data.kinetics, data.of_simulator)
    trusted = intervals.rows(said, true, dose, weight) if "in_domain" in said else []
    rows = [{"": name, **_row(score)} for name, score in {"network": main, **scores}.items()]
    logs = {name: log_normalized(c, dose, weight) for name, c in {"true": true, **predictions}.items()}
    spread = log_spread(true, dose, weight)
    shown = verdict(logs, errors, spread, subjects.compound, margin)
    return Summary(
        metrics=main | {"worst_organ_r2_log": per_organ[worst]["r2_log"]} | laws.metrics(),
        baselines=scores,
        tables={
            "Test split against the ODE solver": rows,
            f"Per organ (worst: {worst})": [{"organ": organ, **_row(score)} for organ, score in per_organ.items()],
            "Per route": _per_route(predicted, true, dose, weight, subjects.route),
            law_table.TITLE: laws.rows(),
            intervals.TITLE: trusted,
            **data.tables(predictions),
        },
        figures=draw(predictions, true, dose, weight, data, subjects, folder) if folder else {},
        notes=[*NOTES, NOTE, *law_table.NOTES, *[intervals.NOTE] * bool(trusted), *data.notes],
        items={
            "item": identities(true),  # a seed draws subjects of its own
            "loss": errors["network"],
            f"{METRIC}r2_log": ratio_scores(errors["network"].numpy(), spread.numpy()),
            **{
                f"{METRIC}{name}": each
                for name, each in of_subjects(predicted, true, dose, weight, data.time_h).items()
            },
        },
        question="How close do the network's concentration curves come to those of the ODE solver, for compounds and "
        "subjects that it has not seen?",
        answer=answer(shown, main, scores),
        verdict=shown,
        leading=[spoken(name) for name in LEADING],
        counted="subjects",
        counts=dict.fromkeys(("Per route", law_table.TITLE, intervals.TITLE), "subjects"),
    )


def draw(
    predictions: dict[str, Tensor], true: Tensor, dose: Tensor, weight: Tensor, data: Any, subjects: Any, folder: Path
) -> dict[str, str]:
    """Write the figures and return {caption: file name}."""
    predicted = predictions["network"].float()
    error = ((predicted.clamp(min=1e-9) / true.clamp(min=1e-9)).log().abs()).mean((1, 2))
    ranked = error.argsort()
    drawn = {}
    for name, place in {"typical": 0.5, "poor": 0.95}.items():
        subject = int(ranked[min(int(place * len(ranked)), len(ranked) - 1)])
        title = (
            f"{ROUTES[int(subjects.route[subject])]}, {float(dose[subject]):.0f} mg,\n{float(weight[subject]):.0f} kg"
        )
        floor = FLOOR * float(dose[subject] / weight[subject])
        figures.curves(folder / f"curves_{name}.svg", data.time_h, predicted[subject], true[subject], floor, title)
        drawn[f"A {name} test subject ({int(100 * place)}th percentile of the error): network over solver"] = (
            f"curves_{name}.svg"
        )
    figures.residuals(folder / "residuals.svg", data.time_h, predicted, true, dose, weight)
    drawn["Residuals on the test split"] = "residuals.svg"
    figures.residuals_per_organ(folder / "residuals_per_organ.svg", data.time_h, predicted, true, dose, weight)
    drawn["Residuals on the test split in each organ"] = "residuals_per_organ.svg"
    figures.organs(folder / "organs.svg", predictions, true, dose, weight)
    drawn["Unexplained variance per organ, network and baselines"] = "organs.svg"
    return drawn


def _row(score: dict[str, float]) -> dict[str, float]:
    return {spoken(name): score[name] for name in SHOWN if name in score}


def _per_route(predicted: Tensor, true: Tensor, dose: Tensor, weight: Tensor, route: Tensor) -> Rows:
    rows = []
    for number, name in enumerate(ROUTES):
        those = route == number
        if those.any():
            score = metrics(predicted[those], true[those], dose[those], weight[those])
            rows.append({"route": name, "subjects": int(those.sum()), **_row(score)})
    return rows
