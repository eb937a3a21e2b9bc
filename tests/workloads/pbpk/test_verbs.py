"""`fulmen pbpk ...`: verbs that a workload brings itself."""

import pytest

from fulmen.cli import main
from fulmen.config.words import plain_experiment
from fulmen.workloads.pbpk.data import PBPKData

SMALL = ["data.compounds=12", "data.validation_compounds=2", "data.test_compounds=2", "data.time_points=8"]


def test_subjects_are_exported_and_read_back(tmp_path, capsys):
    path = tmp_path / "subjects.npz"
    assert main(["pbpk", "export", str(path), *SMALL]) == 0
    said = f"written: {path}, subjects of uniform_chemistry (data.population=<name>: of another)\n"
    assert capsys.readouterr().out == said
    data = PBPKData(npz=str(path), validation_compounds=2, test_compounds=2)
    data.setup()
    assert len(data.population) == 12


def test_settings_are_those_of_the_experiment_that_sets_least(tmp_path):
    assert plain_experiment("pbpk") == "pbpk_gnn"
    assert main(["pbpk", "export", str(tmp_path / "few.npz"), "data.compounds=210", "data.time_points=3"]) == 0


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["pbpk"], "fulmen pbpk takes one of\n  export         Write subjects"),
        (["pbpk", "exprot", "x.npz"], "fulmen pbpk takes one of"),
        (["pbpk", "export"], "fulmen pbpk export takes one file"),
        (["pbpk", "export", "--help"], "fulmen pbpk export takes one file"),
        (["stocks", "export"], "stocks has no commands of its own"),
    ],
)
def test_what_there_is_is_said_where_something_else_is_typed(typed, said, capsys):
    assert main(typed) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("asked", ["--help", "-h"])
def test_help_lists_the_commands(asked, capsys):
    assert main(["pbpk", asked]) == 0
    assert "export         Write subjects" in capsys.readouterr().out
