"""`fulmen new` with an installed wheel and no network: the project trains at once, every verb answers in its folder."""

import json
from resource import RUSAGE_CHILDREN, getrusage

import pytest
from installed import Installed

pytestmark = pytest.mark.slow
QUICK = ["trainer.max_epochs=2", "logger.tensorboard=null", "callbacks.summary=null"]
VERBS = """
import contextlib, io, json, pathlib
from fulmen.cli import main
from mylab.data import COLUMNS

pathlib.Path("patients.csv").write_text(",".join(COLUMNS) + "\\n" + ",".join("1" * 10) + "\\n")
runs = sorted(map(str, pathlib.Path("outputs/runs/mylab").iterdir()))
commands = [
    ["runs"], ["compare", *runs[:2]], ["rank", "mylab", "trainer.max_epochs=2", "--folds", "2"], ["diagnose", runs[0]],
    ["models", "save", runs[0], "--name", "best"], ["models", "verify", "best"], ["models", "list"],
    ["models", "promote", "best", "1", "--as", "champion"], ["predict", "best@champion", "patients.csv"],
]
answers = []
for command in commands:
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        code = main(command)
    answers.append([" ".join(command[:2]), code, out.getvalue(), err.getvalue()])
print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """An environment without the experiments that are shipped, and a project in its folder."""
    installed = Installed(tmp_path_factory.mktemp("installed"), wheel)
    for path in (installed.packages / "fulmen" / "conf" / "experiment").iterdir():
        path.unlink()
    assert installed("new", "mylab").returncode == 0
    return installed


@pytest.fixture(scope="module")
def trained(installed):
    """What `make train` says in the project, and the seconds of one core that it takes, Python's start included."""
    began = seconds_of_children()
    done = installed("train", program="make", folder="mylab")
    return done, seconds_of_children() - began


def seconds_of_children():
    used = getrusage(RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_make_train_trains_within_a_minute(trained, installed):
    done, seconds = trained
    assert done.returncode == 0, done.stderr
    assert "constant" in done.stdout
    assert len(list(installed.work.glob("mylab/outputs/runs/mylab/*/report.html"))) == 1
    assert seconds < 60


def test_its_own_tests_pass(installed):
    done = installed("test", program="make", folder="mylab")
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


def test_its_programs_train_several_runs_and_search(installed):
    search = ["search=random", "search.trials=2", "search.champion_seeds=0", "search.name=found"]
    several = ["train.py", "-m", "experiment=mylab", *QUICK, "model.network.width=4,8"]
    for command in (several, ["sweep.py", "experiment=mylab", *QUICK, *search]):
        done = installed(*command, program="python", folder="mylab")
        assert done.returncode == 0, done.stderr
    assert len(list(installed.work.glob("mylab/outputs/runs/mylab/*/report.html"))) >= 2
    assert (installed.work / "mylab/outputs/sweeps/found/report.md").is_file()


def test_every_verb_answers(trained, installed):
    if len(list(installed.work.glob("mylab/outputs/runs/mylab/*"))) < 2:
        assert installed("train", "experiment=mylab", *QUICK, folder="mylab").returncode == 0
    done = installed("-c", VERBS, program="python", folder="mylab")
    assert done.returncode == 0, done.stderr
    answers = {name: (code, out, err) for name, code, out, err in json.loads(done.stdout.splitlines()[-1])}
    assert {name: code for name, (code, *_) in answers.items()} == dict.fromkeys(answers, 0), answers
    assert "completed" in answers["runs"][1]
    assert "constant" in answers["rank mylab"][1]
    assert "best" in answers["models list"][1]
    assert len(answers["predict best@champion"][1].splitlines()) >= 2
