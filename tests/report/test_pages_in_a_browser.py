"""Every kind of report can be read on a desk, a tablet and a phone: nothing is too wide, no letter tiny."""

import json

import numpy as np
import optuna
import pytest
from browsing import MARKS, chromium
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
from fulmen.report.figures import WIDTH, figure, training_curve
from fulmen.report.html import write
from fulmen.report.of_run import write_report
from fulmen.report.summary import Summary
from fulmen.report.test_predictions import write_items
from fulmen.runs import repeat_report
from fulmen.runs.result import Result
from fulmen.runs.run_folder import load_run
from fulmen.search import figures

pytestmark = MARKS
SIZES = (1280, 768, 390)
MEASURE = """() => {
  const letters = [...document.images].map(image => {
    const source = image.src, width = image.getBoundingClientRect().width
    if (!source.startsWith("data:image/svg")) return 99
    const drawn = new TextDecoder().decode(Uint8Array.from(atob(source.split(",")[1]), each => each.charCodeAt(0)))
    const sizes = [...drawn.matchAll(/font: ([0-9.]+)px|font-size: ?([0-9.]+)px/g)].map(each => +(each[1] || each[2]))
    return Math.min(...sizes) * width / +drawn.match(/viewBox="0 0 ([0-9.]+)/)[1]
  })
  const main = document.querySelector("section.main .wide")
  return {
    wider: document.documentElement.scrollWidth - innerWidth, letters: Math.min(99, ...letters),
    figures: letters.length, main: main ? main.scrollWidth - main.clientWidth : 0,
    columns: main ? main.querySelectorAll("th").length : 0, answer: document.querySelector(".answer")?.textContent,
  }
}"""
COST = {"fit_seconds": 61.0, "seconds": 70.0, "parameters": 1234, "device": "cpu", "threads": 2, "precision": "32-true"}


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


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
        "metrics": {f"test/{name}": 0.9 - 0.01 * seed for name in NAMES},
        "baselines": {"forest": {"roc_auc": 0.8, "pr_auc": 0.7}, "a coin": {"roc_auc": 0.5}},
    } for seed in range(3)]  # fmt: skip
    whole = Result("sensors", folder, "completed", better={"roc_auc": "max"}, **results[0])
    whole.runs = [f"seed_{seed}" for seed in range(3)]
    rows = [{"": name, "best/val/loss": 0.5, **one["metrics"]} for name, one in zip(whole.runs, results, strict=True)]
    repeat_report.write_report(whole, results, rows, [20, 20, 20], ["experiment=sensors", "seeds=3"])


def ranking(folder):
    contest = Contest({name: {"roc_auc": np.array(each)} for name, each in SCORES.items()}, {}, 100, 50,
                      ceiling={"roc_auc": 0.9}, chance={"roc_auc": 0.5})  # fmt: skip
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
        "sensors", overrides, "val/loss", "min", {"status": "completed", "metrics": metrics, "cost": COST}, "d"
    )


def multirun(folder):
    show(folder, [ended(1, 0.5 + lr, **{"model.network.width": 2**70, "lr": lr}) for lr in range(4)])


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


WIDE = ("model.optimizer.lr", "model.network.width")
KINDS = {"run": a_run, "seeds": seeds, "multirun": multirun, "multirun of seeds": multirun_of_seeds,
         "sweep": sweep, "rank": ranking, "compare": comparison}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_fits_every_screen(kind, browser, tmp_path):
    folder = tmp_path / kind
    KINDS[kind](folder)
    for size in SIZES:
        page = browser.new_page(viewport={"width": size, "height": 900})
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto((folder / "report.html").as_uri())
        seen = page.evaluate(MEASURE)
        page.close()
        assert seen["wider"] <= 0, f"the page is {seen['wider']} pixels wider than a screen of {size}"
        assert seen["letters"] >= 9, f"letters of {seen['letters']:.1f} pixels on a screen of {size}"
        assert size < 1280 or (seen["main"] <= 0 and seen["columns"] <= 6), "the main table is cut"
        assert seen["figures"] > 0
        assert seen["answer"].endswith(".")
        assert [address for address in asked if not address.startswith(("file:", "data:"))] == []


def test_figures_are_drawn_as_wide_as_a_phone_can_show(tmp_path):
    with figure(tmp_path / "x.svg") as ax:
        ax.set_xscale("log")
        ax.plot([1e-4, 1e3], [1, 2])
    drawn = (tmp_path / "x.svg").read_text()
    assert f'width="{WIDTH * 72:g}pt"' in drawn
    assert "0.01" in drawn, "a power of ten is written out"
