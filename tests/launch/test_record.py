import json

import pytest

from fulmen.launch.record import Attempt, Job, read_attempt, read_job, state_of, write

JOB = Job("7", "train", "runs/sensors/a", "sensors", ("lr=1",), {"folds": 3}, ("train", "lr=1"), attempt=2)
DONE = {"ended": "2026-11-28T15:33:23.343+00:00"}


def attempt(**values):
    return Attempt(**{"attempt": 2, "host": "here", "pid": 1} | values)


def test_records_come_back_as_they_were_written(tmp_path):
    known = attempt(work={"pid": 4, "started": "x/9"}, **DONE)
    write(tmp_path, JOB)
    write(tmp_path, known)
    assert (read_job(tmp_path), read_attempt(tmp_path)) == (JOB, known)
    assert {path.name for path in tmp_path.iterdir()} == {"job.json", "attempt.json"}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "attempt": 1}'])
def test_what_is_no_record_is_none(tmp_path, content):
    (tmp_path / "job.json").write_text(content)
    assert read_job(tmp_path) is None


def test_a_key_of_a_later_release_is_left_unread(tmp_path):
    write(tmp_path, JOB)
    path = tmp_path / "job.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"colour": "red"}))
    assert read_job(tmp_path) == JOB


@pytest.mark.parametrize(
    ("wanted", "latest", "locked", "said", "state"),
    [
        ("run", None, False, "", "queued"),
        ("run", attempt(attempt=1, exit_code=0, **DONE), False, "completed", "queued"),
        ("cancel", None, False, "", "cancelled"),
        ("run", attempt(), True, "", "running"),
        ("cancel", attempt(), True, "", "cancelling"),
        ("run", attempt(exit_code=0, **DONE), True, "", "completed"),
        ("cancel", attempt(exit_code=0, **DONE), False, "", "completed"),
        ("cancel", attempt(exit_code=143, **DONE), False, "", "cancelled"),
        ("cancel", attempt(exit_code=-15, **DONE), False, "", "cancelled"),
        ("run", attempt(exit_code=143, **DONE), False, "", "interrupted"),
        ("run", attempt(exit_code=69, **DONE), False, "", "interrupted"),
        ("run", attempt(exit_code=-9, **DONE), False, "", "killed"),
        ("kill", attempt(exit_code=-9, **DONE), False, "", "cancelled"),
        ("run", attempt(exit_code=2, **DONE), False, "diverged", "diverged"),
        ("cancel", attempt(exit_code=2, **DONE), False, "", "failed"),
        ("run", attempt(), False, "", "killed"),
        ("run", attempt(), False, "running", "killed"),
        ("run", attempt(), False, "completed", "completed"),
        ("cancel", attempt(), False, "interrupted", "cancelled"),
    ],
)
def test_how_a_job_stands_follows_from_its_files(wanted, latest, locked, said, state):
    job = Job("7", "train", "runs/sensors/a", attempt=2, wanted=wanted)
    assert state_of(job, latest, locked, said) == state
