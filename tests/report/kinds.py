"""A report of every kind in a folder, with made-up numbers, long names and many columns, as they have come to be."""

import json

import numpy as np
import optuna
from helpers import PBPK
from optuna.distributions import FloatDistribution
from optuna.trial import create_trial

from fulmen.comparison import ranking_files
from fulmen.comparison.compare import compare
from fulmen.comparison.entrants import entrants
from fulmen.comparison.multirun import Ended, Ranking
from fulmen.config.check import check_overrides
from fulmen.config.stored import as_stored
from fulmen.report.contest import Contest
from fulmen.report.document import Figure, Report, Section, TableOf
from fulmen.report.figures import figure
from fulmen.report.html import write
from fulmen.report.of_run import write_report
from fulmen.report.summary import Summary
from fulmen.report.test_predictions import write_items
from fulmen.report.training_curve import training_curve
from fulmen.runs import repeat_report
from fulmen.runs.result import Result
from fulmen.runs.run_folder import load_run
from fulmen.search import figures

COST = {"fit_seconds": 61.0, "seconds": 70.0, "parameters": 1234, "device": "cpu", "threads": 2, "precision": "32-true"}


def a_run(folder):
    """A run with long names and many columns, as they have come to be."""
    folder.mkdir()
    (folder / "config.yaml").write_text("model:\n  optimizer: {lr: 0.1}\n")
    rows = [f"{i},{0.1 / (i + 1)},{3 / (i + 1)},{2 / (i + 1)}" for i in range(9)]
    (folder / "metrics.csv").write_text("\n".join(["epoch,lr-Adam,train/loss,val/loss", *rows]))
    training_curve(folder)
    with figure(folder / "figures" / "wide.svg", 1, 2, (9, 3)) as axes:
        axes[0].plot([1e-3, 10], [1, 100])
        axes[0].set_yscale("log")
    names = [f"a rather long metric {i}" for i in range(14)]
    rows = [{"": name, **dict.fromkeys(names, 0.123456)} for name in ("network", "gradient boosting, weighted")]
    summary = Summary(
        {"roc_auc": 0.9}, {"a baseline": {"roc_auc": 0.8}},
        {"The test split": rows, "Per class": [{"class": "x" * 60, "recall": 0.5}]},
        {"Training": "training_curve.svg", "Wide": "wide.svg"}, ["A note."],
        {"item": np.arange(12), "loss": np.zeros(12)},
    )  # fmt: skip
    result = {"experiment": "sensors", "status": "completed", "epochs": 9, "cost": COST, "better": {"roc_auc": "max"}}
    (folder / "result.json").write_text(json.dumps(result))
    write_report(folder, "sensors", summary, result, ["experiment=sensors", "model.network.width=" + "1" * 80])


SCORES = {"mlp": (0.80, 0.82, 0.84), "logistic": (0.79, 0.83, 0.80), "gradient boosting": (0.7, 0.7, 0.72)}
NAMES = ("roc_auc", "pr_auc", "f1", "precision", "recall", "ece")


def seeds(folder):
    (folder / "figures").mkdir(parents=True)
    results = [{
        "sizes": {"val": 10, "test": 20}, "counted": "rows",
        "metrics": {f"test/{name}": 0.9 - 0.01 * seed for name in NAMES},
        "baselines": {"forest": {"roc_auc": 0.8, "pr_auc": 0.7}, "a coin": {"roc_auc": 0.5}},
    } for seed in range(3)]  # fmt: skip
    whole = Result("sensors", folder, "completed", better={"roc_auc": "max"}, **results[0])
    whole.runs = [f"seed_{seed}" for seed in range(3)]
    rows = [{"": name, "best/val/loss": 0.5, **one["metrics"]} for name, one in zip(whole.runs, results, strict=True)]
    repeat_report.write_report(whole, results, rows, ["experiment=sensors", "seeds=3"])


def ranking(folder):
    contest = Contest({name: {"roc_auc": np.array(each)} for name, each in SCORES.items()}, {}, 100, 50,
                      ceiling={"roc_auc": 0.9}, chance={"roc_auc": 0.5}, counted="rows", seeds=2)  # fmt: skip
    ranking_files.write(folder, entrants("sensors", ["network=mlp,logistic"]), contest, "roc_auc", {"roc_auc": True})


def comparison(folder):
    rng, runs = np.random.default_rng(0), {}
    for skill, label in enumerate(("images_plain", "images_plain loss=focal sampler=weighted", "images_balanced")):
        place = folder / f"run_{skill}"
        place.mkdir(parents=True)
        losses = [f"{i},{3 / (i + 1)},{2 / (i + 1 + skill)}" for i in range(12)]
        (place / "metrics.csv").write_text("\n".join(["epoch,train/loss,val/loss", *losses]))
        (place / "config.yaml").write_text(as_stored(check_overrides(["experiment=images_plain"])))
        result = {"experiment": "images_plain", "status": "completed", "cost": COST}
        (place / "result.json").write_text(json.dumps(result))
        target = np.arange(60) % 3
        logits = np.exp(rng.normal(size=(60, 3)) + (1 + skill) * np.eye(3)[target])
        probability = logits / logits.sum(1, keepdims=True)
        loss = -np.log(probability[np.arange(60), target])
        write_items(place, {"item": np.arange(60), "target": target, "probability": probability, "loss": loss})
        runs[label] = load_run(place)
    compare(runs, folder)


def ended(seed, score, **more):
    overrides = ["experiment=sensors", f"seed={seed}", *(f"{key}={value}" for key, value in more.items())]
    metrics = {"best/val/loss": score, **{f"test/{name}": score for name in NAMES}}
    return Ended(
        "sensors",
        overrides,
        "val/loss",
        "min",
        {"status": "completed", "metrics": metrics, "cost": COST, "sizes": {"val": 10, "test": 20}},
        "d",
    )


def multirun(folder):
    show(folder, [ended(1, 0.5 + lr, **{"model.network.width": 2**70, "model.optimizer.lr": lr}) for lr in range(4)])


def multirun_of_seeds(folder):
    show(folder, [ended(seed, 0.5 + seed) for seed in range(4)])


def show(folder, runs):
    ranking = Ranking(str(folder))
    ranking.runs = runs
    ranking.show()


def sweep(folder):
    (folder / "search.json").parent.mkdir()
    found = optuna.create_study()
    for number in range(30):
        x, off = 10.0 ** -(number % 5), number % 7 == 0
        found.add_trial(create_trial(params={"model.optimizer.lr": x, "model.network.width": 8.0},
                                     distributions={name: FloatDistribution(1e-6, 1e6) for name in WIDE},
                                     value=1e9 if off else 1 + x))  # fmt: skip
    figures.history(folder / "figures" / "history.svg", found.trials, "val/loss", "min")
    figures.importances(folder / "figures" / "importances.svg", dict.fromkeys(WIDE, 0.5))
    rows = [{"place": n, "trial": n, "val/loss": 0.1, **dict.fromkeys(WIDE, 0.1)} for n in range(1, 9)]
    report = Report("s", "Which values are best?", "The champion beats every baseline.",
                    lead=Figure("How the search went", "figures/history.svg"), main=TableOf("The best", rows),
                    sections=[Section("What mattered", figures=[Figure("x", "figures/importances.svg")])])  # fmt: skip
    write(report, folder)


def search(folder, *more):
    """A small study, trained to its champion."""
    from fulmen.search.controller import run_searches
    from fulmen.search.plans import plans

    space = ["search=grid", "search/space=null", "search.space.model.optimizer.lr={choices:[0.001,0.002]}"]
    short = ["trainer.accelerator=cpu", "trainer.max_epochs=1", "trainer.limit_train_batches=2"]
    named = [f"search.name={folder.name}", f"search.folder={folder.parent}"]
    run_searches(plans(["experiment=pbpk_mlp", *space, *PBPK, *short, *named, *more]))


def studies(folder):
    """Two of them, without champions."""
    search(folder, "search.each=scheduler=cosine,plateau", "search.champion_seeds=0")


WIDE = ("model.optimizer.lr", "model.network.width")
KINDS = {"run": a_run, "seeds": seeds, "multirun": multirun, "multirun of seeds": multirun_of_seeds,
         "sweep": sweep, "search": search, "studies": studies, "rank": ranking, "compare": comparison}  # fmt: skip
