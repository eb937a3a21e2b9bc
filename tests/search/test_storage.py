"""A study may lie in a database that many machines share."""

import getpass
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import optuna
import pytest

from fulmen.config.schema import project_root
from fulmen.search import trial_states
from fulmen.search.opening import open_study
from fulmen.search.outcome import Outcome
from fulmen.search.settings import read_plan
from fulmen.search.storage import is_silent, without_password

pytestmark = pytest.mark.usefixtures("warm_start")

NO_SERVER = next(
    filter(None, [
        None if find_spec("psycopg") else "psycopg is not installed: pip install 'psycopg[binary]'",
        None if shutil.which("initdb") and shutil.which("pg_ctl") else "no initdb and pg_ctl: install postgresql",
    ]),
    None,
)  # fmt: skip


@contextmanager
def postgres(folder: Path):
    """A server of its own that listens on a socket in `folder`; root must lend it another user's name."""
    as_user = []
    if getpass.getuser() == "root":
        as_user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        shutil.chown(folder, "nobody")
    data, log = folder / "data", folder / "log"
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    subprocess.run([*as_user, "initdb", "-D", data, "-U", "fulmen", "--auth=trust"], check=True, capture_output=True)
    subprocess.run([*as_user, "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "start"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        yield f"postgresql://fulmen:secret@/postgres?host={folder}"
    finally:
        subprocess.run(
            [*as_user, "pg_ctl", "-D", data, "-m", "immediate", "-W", "stop"], check=True, capture_output=True
        )


@pytest.mark.slow
@pytest.mark.skipif(NO_SERVER is not None, reason=str(NO_SERVER))
def test_two_machines_share_one_study_on_postgresql(typed, tmp_path):
    # the server may be another user, who cannot enter pytest's own folders
    with tempfile.TemporaryDirectory() as server, postgres(Path(server)) as address:
        machines = []
        for name in ("one", "two"):
            shared = typed("search=tpe", "search.trials=12", "search.workers=2", "model.seconds=0.05")
            command = [*shared, f"search.folder={tmp_path / name}", f"search.storage={address}"]
            machines.append(
                subprocess.Popen(
                    [sys.executable, "sweep.py", *command],
                    cwd=project_root(),
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                )
            )
        said = [machine.communicate(timeout=200)[0] for machine in machines]
        assert [machine.returncode for machine in machines] == [0, 0], "\n".join(said)
        os.environ["FULMEN_STORAGE"] = address
        try:
            _, study = open_study(tmp_path / "one" / "s")
        finally:
            del os.environ["FULMEN_STORAGE"]
        trials = study.trials
        assert [trial.number for trial in trials] == list(range(12))
        assert len(trial_states.finished(trials, 2)) == 12
        assert len({trial.user_attrs["owner"]["pid"] for trial in trials}) > 2
        folders = [path.name for name in ("one", "two") for path in (tmp_path / name / "s").glob("trial_*")]
        assert sorted(folders) == [f"trial_{number:04d}" for number in range(12)]
        assert "secret" not in (tmp_path / "one" / "s" / "search.json").read_text()


@pytest.mark.slow
def test_sqlite_works_for_one_machine(search, tmp_path):
    study = search("search.trials=2", "search.pruner=none", f"search.storage=sqlite:///{tmp_path}/study.db")
    assert len(study.finished) == 2
    assert not (study.folder / "study.journal").exists()
    assert len(optuna.load_study(study_name="s", storage=f"sqlite:///{tmp_path}/study.db").trials) == 2


def test_a_password_is_never_shown_or_stored():
    assert without_password("postgresql://me:secret@host/db") == "postgresql://me@host/db"


def test_another_machine_is_believed_alive_until_it_falls_silent(study):
    one = study("search=random", "search.trials=1")
    trial = one.claim()
    elsewhere = {**trial.user_attrs["owner"], "host": "elsewhere"}
    trial.set_user_attr("owner", elsewhere)
    beat = one.folder / ".alive" / f"elsewhere-{elsewhere['pid']}"
    beat.parent.mkdir(exist_ok=True)
    beat.touch()
    assert one.claim() is trial_states.Step.WAIT
    os.utime(beat, (0, 0))
    assert is_silent(one.folder, beat.name)
    again = one.claim()
    assert again.params == trial.params


def test_a_study_can_be_opened_by_its_folder_alone(study):
    one = study("search=random", "search.trials=1")
    one.tell(one.claim(), Outcome([1.0]))
    assert open_study(one.folder)[1].best_value == 1.0
    assert read_plan(one.folder).search == one.search
