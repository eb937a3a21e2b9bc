"""A metric is watched in its own direction: declared where it is defined, used or held against `mode`."""

import json
from pathlib import Path

import pytest

from fulmen.config.check import check_overrides, compose
from fulmen.config.directions import direction
from fulmen.config.mistakes import ConfigError

REGRESSION = ["metrics=regression", "callbacks.scores.prediction=a", "callbacks.scores.target=b"]
SCORES = ["metrics=classification", "callbacks.scores.classes=10"]
WATCHED = [  # experiment, what is typed, where it is watched -> the mode it gets there
    ("pbpk_mlp", [], {"mode": "min", "callbacks.best.mode": "min", "model.scheduler.mode": "min"}),
    ("pbpk_mlp", ["monitor=val/r2_log"], {"mode": "max", "callbacks.best.mode": "max", "model.scheduler.mode": "max"}),
    ("pbpk_gnn", ["monitor=val/r2_log"], {"mode": "max", "callbacks.early_stopping.mode": "max"}),
    ("pbpk_mlp", ["callbacks.best.monitor=val/r2_log"],
     {"callbacks.best.mode": "max", "callbacks.early_stopping.mode": "min", "model.scheduler.mode": "max"}),
    ("images_plain", ["monitor=val/minority_f1"], {"mode": "max", "callbacks.best.mode": "max"}),
    ("images_strong", ["monitor=val/balanced_accuracy"], {"mode": "max"}),
    ("images_plain", [*SCORES, "monitor=scores/roc_auc"], {"mode": "max"}),
    ("images_plain", [*SCORES, "monitor=scores/calibration_error"], {"mode": "min"}),
    ("stocks", [*REGRESSION, "monitor=scores/r2"],
     {"mode": "max"}),
    ("stocks", [*REGRESSION, "monitor=scores/max_error"], {"mode": "min"}),
    ("sensors", [*SCORES[:1], "callbacks.scores.classes=2", "monitor=scores/mcc"], {"mode": "max"}),
    ("sensors", ["monitor=val/nobody_knows"], {"mode": "min"}),
    ("sensors", ["monitor=val/nobody_knows", "mode=max"], {"mode": "max", "callbacks.best.mode": "max"}),
    ("synthetic_mlp", ["monitor=train/loss"], {"mode": "min"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("experiment", "typed", "modes"), WATCHED, ids=[" ".join([row[0], *row[1]]) for row in WATCHED]
)
def test_what_is_watched_gets_its_own_direction(experiment, typed, modes):
    cfg = compose([f"experiment={experiment}", *typed])
    found = dict.fromkeys(modes, cfg)
    for path in modes:
        for key in path.split("."):
            found[path] = found[path][key]
    assert found == modes
    check_overrides([f"experiment={experiment}", *typed])


CONTRADICTED = [
    ("pbpk_mlp", ["monitor=val/r2_log", "mode=min"], "mode: val/r2_log is better high", "mode=max"),
    ("stocks", ["mode=max"], "mode: val/loss is better low", "mode=min"),
    ("images_plain", ["callbacks.best.monitor=val/macro_f1", "callbacks.best.mode=min"], "callbacks.best.mode", "=max"),
    ("sensors", ["callbacks.early_stopping={_target_:lightning.pytorch.callbacks.EarlyStopping,monitor:val/pr_auc}"],
     "callbacks.early_stopping.mode", "callbacks.early_stopping.mode=max"),
]  # fmt: skip


@pytest.mark.parametrize(("experiment", "typed", "where", "cure"), CONTRADICTED, ids=[row[2] for row in CONTRADICTED])
def test_a_mode_that_keeps_the_worst_is_refused_with_one_that_works(experiment, typed, where, cure):
    with pytest.raises(ConfigError, match=where) as caught:
        check_overrides([f"experiment={experiment}", *typed])
    assert cure in str(caught.value)
    check_overrides(caught.value.overrides)


FROZEN = sorted((Path(__file__).parents[1] / "frozen").glob("*/runs/*/result.json"))
NO_DIRECTION = {"coverage_80", "coverage_95", "coverage_80_rolling", "coverage_95_rolling", "always_up", "threshold",
                "direction_low", "direction_high"}  # fmt: skip


@pytest.mark.parametrize("path", FROZEN, ids=[path.parent.name for path in FROZEN])
def test_every_metric_that_a_workload_reports_has_a_direction(path):
    result = json.loads(path.read_text())
    plain = {"model": {"_target_": compose([f"experiment={result['experiment']}"]).model["_target_"]}}
    reported = {name.partition("/")[2] for name in result["metrics"] if name.startswith(("val/", "test/"))}
    assert reported, "the frozen run reports metrics"
    assert {name for name in reported if direction(f"test/{name}", plain) is None} <= NO_DIRECTION
