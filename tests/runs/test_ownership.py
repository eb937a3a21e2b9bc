"""A run folder has one owner: races, deaths, process numbers given away again, other machines."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from fulmen.distributed.process_identity import owner
from fulmen.errors import FulmenError
from fulmen.runs import ownership
from fulmen.runs.ownership import LOCK, SILENT, holder, owned

CLAIM = """
import sys, time
from pathlib import Path
from fulmen.errors import FulmenError
from fulmen.runs.ownership import owned
folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
try:
    with owned(folder):
        print("mine", flush=True)
        time.sleep(seconds)
except FulmenError as error:
    print(error, flush=True)
"""


def claim(folder, seconds):
    command = [sys.executable, "-c", CLAIM, str(folder), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def other():
    """Another process of this machine that lives."""
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def write(folder, **who):
    (folder / LOCK).write_text(json.dumps({"format": 1, **who, "since": "2026-11-25T03:12:45+00:00"}))


def test_the_owner_is_named_while_it_works_and_leaves_nothing(tmp_path):
    with owned(tmp_path / "a" / "run"):
        assert holder(tmp_path / "a" / "run")["pid"] == os.getpid()
        with pytest.raises(FulmenError, match=f"belongs to process {os.getpid()} on "), owned(tmp_path / "a" / "run"):
            pass
    assert not list(tmp_path.iterdir())


def test_of_many_at_once_one_gets_the_folder(tmp_path):
    racers = [claim(tmp_path / "run", 1.5) for _ in range(6)]
    said = [racer.communicate()[0].strip() for racer in racers]
    assert said.count("mine") == 1
    for line in said:
        assert line == "mine" or ("belongs to process" in line and "\n" not in line)


def test_a_killed_owner_is_dead_at_once(tmp_path):
    first = claim(tmp_path, 60)
    assert first.stdout.readline() == "mine\n"
    assert holder(tmp_path)["pid"] == first.pid
    with (
        pytest.raises(FulmenError, match=f"belongs to process {first.pid} .*kill {first.pid} stops it"),
        owned(tmp_path),
    ):
        pass
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert (tmp_path / LOCK).exists()
    assert holder(tmp_path) is None
    with owned(tmp_path):
        assert holder(tmp_path)["pid"] == os.getpid()


OWNERS = {  # who the lock names, age of its heartbeat in seconds, whether it holds
    "alive": (lambda other: owner(other.pid), 1e6, True),
    "number given away again": (lambda other: owner(other.pid) | {"started": "0/1"}, 0, False),
    "no such process": (lambda other: owner(other.pid) | {"pid": 2**22 + 1}, 0, False),
    "another machine, heard of": (lambda other: owner(other.pid) | {"host": "elsewhere"}, SILENT / 2, True),
    "another machine, silent": (lambda other: owner(other.pid) | {"host": "elsewhere"}, 2 * SILENT, False),
}


@pytest.mark.parametrize(("who", "age", "holds"), OWNERS.values(), ids=OWNERS)
def test_whether_an_owner_lives(tmp_path, other, who, age, holds):
    write(tmp_path, **who(other))
    then = time.time() - age
    os.utime(tmp_path / LOCK, (then, then))
    assert (holder(tmp_path) is not None) == holds
    if holds:
        before = (tmp_path / LOCK).read_text()
        with pytest.raises(FulmenError, match="belongs to process"), owned(tmp_path):
            pass
        assert (tmp_path / LOCK).read_text() == before
        assert [path.name for path in tmp_path.iterdir()] == [LOCK]
    else:
        with owned(tmp_path):
            pass
        assert not (tmp_path / LOCK).exists()


@pytest.mark.parametrize("content", ["", "{", "[1]", '"x"', '{"pid": 1}'])
def test_a_lock_that_says_nothing_is_nobodys(tmp_path, content):
    (tmp_path / LOCK).write_text(content)
    (tmp_path / "file").touch()
    assert holder(tmp_path) is None
    with owned(tmp_path):
        assert holder(tmp_path)


def test_the_heart_beats(tmp_path, monkeypatch):
    monkeypatch.setattr(ownership, "BEAT", 0.02)
    with owned(tmp_path):
        os.utime(tmp_path / LOCK, (0, 0))
        for _ in range(500):
            if beaten := (tmp_path / LOCK).stat().st_mtime:
                break
            time.sleep(0.02)
        assert beaten > 0, "no beat in 10 seconds"


def test_what_a_kill_left_half_written_goes_and_nothing_else(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    gone = [".metrics.csv.ab12cd3_", "checkpoints/.last.ckpt.k2_8abcd"]
    kept = [".hidden", "metrics.csv", "checkpoints/last.ckpt", ".env.production", "notes.ab12cd34"]
    for name in gone + kept:
        (tmp_path / name).write_text("x")
    with owned(tmp_path):
        pass
    assert [name for name in gone + kept if (tmp_path / name).exists()] == kept
