"""A ranking looks for leaks in its folds: it says so above its table, and nobody has a medal for what is no merit."""

import json

import leak_lab
import numpy as np
import pandas as pd
import pytest

from fulmen.comparison.benchmark import rank
from fulmen.errors import FulmenError


@pytest.fixture(scope="module", autouse=True)
def lab(tmp_path_factory):
    with leak_lab.lab(tmp_path_factory.mktemp("lab"), "leakrank") as folder:
        yield folder


def ranked(*overrides, out="ranking"):
    folder = rank("leakrank", ["trainer.max_epochs=5", *overrides], folds=4, out=out)
    return json.loads((folder / "ranking.json").read_text()), (folder / "ranking.md").read_text()


def test_a_ranking_with_a_leak_says_so_above_its_table_and_gives_no_medals(lab, capsys):
    leak_lab.tripled().to_csv("tripled.csv", index=False)
    known, report = ranked("data.csv=tripled.csv")
    out = capsys.readouterr().out
    said = "The data have 1 leak (FUL-L01 copies): these scores cannot be believed."
    assert [line.partition(" copies:")[0] for line in out.splitlines() if line.startswith("leak: ")] == [
        "leak: FUL-L01"
    ] * 3
    assert out.index(said) < out.index("models on the same 4 folds")
    assert known["leaks"][0]["id"] == "FUL-L01"
    assert report.index(said) < report.index("## The places")
    assert "## Leaks" in report
    assert not {"gold", "silver", "bronze"} & set(report.split())


def test_a_ranking_of_honest_data_says_nothing_of_leaks_on_the_console_and_gives_medals(lab, capsys):
    leak_lab.honest(1200, noise=0.2).to_csv("easy.csv", index=False)
    known, report = ranked("data.csv=easy.csv", out="honest")
    assert not {"leak:", "leaks"} & set(capsys.readouterr().out.split())
    assert "leaks" not in known
    assert "gold" in report
    assert "A scan of the samples of all splits found no leak" in report


def test_machines_that_were_copied_under_another_name_are_no_merit_of_a_ranking(lab, capsys):
    """Rows of a machine say nothing of its labels but which machine it is."""
    rng = np.random.default_rng(0)
    machine = np.repeat(np.arange(30), 20)
    x = rng.normal(size=(30, 4))[machine] + 0.5 * rng.normal(size=(600, 4))
    table = pd.DataFrame(x, columns=list("abcd")).assign(y=(rng.random(600) < rng.random(30)[machine]).astype(int))
    copied = table.assign(**{name: table[name] + 1e-3 * rng.normal(size=600) for name in "abcd"})
    pd.concat([table, copied]).sample(frac=1, random_state=0).to_csv("machines.csv", index=False)
    known, report = ranked("data.csv=machines.csv", out="machines")
    assert [leak["id"] for leak in known["leaks"] if leak["severity"] == "error"] == ["FUL-L02"]
    assert "these scores cannot be believed" in capsys.readouterr().out
    assert not {"gold", "silver", "bronze"} & set(report.split())


def test_strict_refuses_a_ranking_before_anything_is_trained(lab):
    with pytest.raises(FulmenError, match="leaks=strict: 3 leaks in the data, nothing was trained"):
        ranked("data.csv=copies.csv", "leaks=strict", "seed=7", out="strict")
    assert not (lab / "strict" / "ranking.json").exists()
