import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from short_jobs import PROGRAM, ended, running, until

from fulmen.distributed.process_identity import started
from fulmen.errors import FulmenError
from fulmen.launch.queue import NoSuchJob, Queue, WrongState


@pytest.fixture
def queue(tmp_path):
    made = Queue(tmp_path / "outputs", slots=2, program=PROGRAM)
    yield made
    for entry in made.open_jobs():  # nothing a test has started stays behind
        if entry.attempt and entry.attempt.work:
            os.kill(entry.attempt.work["pid"], signal.SIGKILL)


def ran(entry):
    path = entry.folder / "ran.txt"
    return path.read_text().count("ran") if path.exists() else 0


def test_a_job_runs_once_in_its_own_folder_and_tells_how_it_ended(queue):
    good, bad = queue.submit("train", "sensors", ["seed=1"]), queue.submit("train", "sensors", ["exit=no such lr"])
    assert good.state == "queued"
    assert good.folder.parent == queue.outputs / "runs" / "sensors"
    found = {entry.job.id: entry for entry in ended(queue)}
    assert [found[each.job.id].state for each in (good, bad)] == ["completed", "failed"]
    assert [ran(entry) for entry in found.values()] == [1, 1]
    assert found[bad.job.id].message == "no such lr"
    assert queue.log(bad.job.id, tail=1) == ["  this works: nothing"]
    assert found[good.job.id].job.typed == "fulmen train experiment=sensors seed=1"


def test_the_highest_priority_is_started_first_then_the_oldest_and_no_more_than_there_are_slots(tmp_path):
    queue = Queue(tmp_path, slots=1, gpus=["3", "5"], program=PROGRAM)
    ids = [queue.submit("train", "sensors", ["seconds=0.2"], priority=p).job.id for p in (0, 0, 2, 1)]
    started = queue.tick()
    assert queue.tick() == []
    queue.prioritize(ids[1], 7)
    until(lambda: (started.extend(queue.tick()), not queue.open_jobs())[1])
    assert started == [ids[2], ids[3], ids[1], ids[0]]
    found = [queue.job(id) for id in started]
    assert {entry.state for entry in found} == {"completed"}
    assert [(entry.attempt.slot, *queue.log(entry.job.id)) for entry in found[:2]] == [(0, "gpu 3"), (1, "gpu 5")]


def test_a_job_that_runs_is_asked_to_save_itself_once_and_goes_on_where_it_was(queue):
    id = queue.submit("train", "sensors", ["seconds=60"]).job.id
    running(queue, id)
    assert queue.cancel(id).state == "cancelling"
    entry = ended(queue)[0]
    assert (entry.state, entry.message, entry.attempt.exit_code) == ("cancelled", "interrupted; it goes on", 143)
    assert (entry.folder / "stopped.txt").read_text() == "stopped\n"
    (entry.folder / "checkpoints").mkdir()
    (entry.folder / "checkpoints" / "last.ckpt").touch()
    (entry.folder / "config.yaml").touch()
    again = queue.resume(id)
    assert again.state == "queued"
    assert again.job.command == ("train", f"resume={entry.folder}")
    assert ended(queue)[0].state == "completed"
    assert queue.job(id).attempt.attempt == 2
    assert "--- attempt 2" in "\n".join(queue.log(id))


def test_a_training_that_saved_nothing_begins_again_in_its_folder(queue):
    id = queue.submit("train", "sensors", ["exit=too bad"]).job.id
    ended(queue)
    assert queue.resume(id).job.command[:2] == ("train", "experiment=sensors")


def test_a_job_that_waits_is_cancelled_at_once_and_one_that_does_not_hear_is_killed_when_asked_twice(queue):
    waits = queue.submit("train", "sensors")
    assert queue.cancel(waits.job.id).state == "cancelled"
    deaf = queue.submit("train", "sensors", ["deaf=yes", "seconds=60"]).job.id
    running(queue, deaf)
    queue.cancel(deaf)
    assert queue.cancel(deaf).job.wanted == "kill"
    assert [entry.state for entry in ended(queue)] == ["cancelled", "cancelled"]
    assert ran(waits) == 0
    with pytest.raises(WrongState, match="has ended already"):
        queue.cancel(deaf)


def test_a_paused_queue_starts_nothing_also_after_a_restart(queue):
    queue.pause()
    id = queue.submit("train", "sensors").job.id
    again = Queue(queue.outputs, program=PROGRAM)
    assert again.paused
    assert again.tick() == []
    again.unpause()
    assert again.tick() == [id]
    ended(again)


def test_another_queue_on_the_folder_finds_all_jobs_and_disturbs_none(queue):
    queue.submit("train", "sensors", ["seconds=1"])
    queue.submit("rank", "sensors", ["network=mlp,tabm"], {"folds": 3, "save_top": 1})
    queue.submit("compare", options={"runs": ["outputs/runs/a/b", "sensors lr=1"]})
    first = queue.jobs()[0]
    queue.tick()
    again = Queue(queue.outputs, slots=2, program=PROGRAM)
    assert [entry.job for entry in again.jobs()] == [entry.job for entry in queue.jobs()]
    running(again, first.job.id)
    assert {entry.state for entry in ended(again)} == {"completed"}
    assert ran(first) == 1
    assert [entry.job.typed for entry in again.jobs()[1:]] == [
        "fulmen rank sensors network=mlp,tabm --folds=3 --save-top=1",
        "fulmen compare outputs/runs/a/b 'sensors lr=1'",
    ]


def test_only_one_of_several_processes_that_would_run_a_job_does(queue):
    entry = queue.submit("train", "sensors", ["seconds=0.3"])
    words = [*queue.supervisor, str(entry.folder), "0", "", *PROGRAM]
    several = [subprocess.Popen(words) for _ in range(4)]
    assert [each.wait() for each in several] == [0] * 4
    assert (ran(entry), queue.job(entry.job.id).state) == (1, "completed")


def test_work_outlives_its_supervisor_and_is_known_as_running_then_as_what_it_says_of_itself(queue):
    id = queue.submit("train", "sensors", ["seconds=0.6"]).job.id
    running(queue, id)
    attempt = until(lambda: (entry := queue.job(id)).attempt.work and entry.attempt)
    os.kill(attempt.pid, signal.SIGKILL)
    until(lambda: started(attempt.pid) is None)
    assert queue.job(id).state == "running"
    (queue.job(id).folder / "result.json").write_text(json.dumps({"status": "completed"}))
    assert until(lambda: (entry := queue.job(id)).state != "running" and entry.state) == "completed"
    (queue.job(id).folder / "result.json").unlink()
    assert queue.job(id).state == "killed"


def test_where_the_file_system_has_no_locks_pid_and_start_tell_who_lives(queue, monkeypatch):
    def no_locks(*_):
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr("fulmen.launch.record.fcntl.flock", no_locks)
    id = queue.submit("train", "sensors", ["seconds=60"]).job.id
    running(queue, id)
    attempt = until(lambda: (entry := queue.job(id)).attempt.work and entry.attempt)
    assert queue.job(id).state == "running"
    os.kill(attempt.pid, signal.SIGKILL)
    until(lambda: started(attempt.pid) is None)
    assert queue.job(id).state == "running"  # the work lives
    os.kill(attempt.work["pid"], signal.SIGKILL)
    assert until(lambda: (entry := queue.job(id)).state != "running" and entry.state) == "killed"


def test_a_job_whose_folder_was_deleted_moved_or_copied_by_hand_is_no_job_any_more(queue):
    ids = [queue.submit("train", "sensors").job.id for _ in range(3)]
    gone, moved, copied = (queue.job(id).folder for id in ids)
    shutil.rmtree(gone)
    moved.rename(moved.with_name("elsewhere"))
    shutil.copytree(copied, copied.with_name("copy"))
    assert [entry.job.id for entry in queue.jobs()] == [ids[2]]
    assert [entry.job.id for entry in ended(Queue(queue.outputs, program=PROGRAM))] == [ids[2]]
    with pytest.raises(NoSuchJob, match="there is no job"):
        queue.cancel(ids[0])


def test_a_job_is_deleted_with_its_folder_only_if_asked_and_never_while_it_runs(queue):
    keeps, goes, runs = (queue.submit("train", "sensors", o) for o in ([], [], ["seconds=60"]))
    for entry in (keeps, goes):
        queue.cancel(entry.job.id)
    (keeps.folder / "report.md").touch()
    (goes.folder / "report.md").touch()
    running(queue, runs.job.id)
    with pytest.raises(WrongState, match="cancel it first"):
        queue.delete(runs.job.id, folder=True)
    queue.delete(keeps.job.id)
    queue.delete(goes.job.id, folder=True)
    assert [path.name for path in keeps.folder.iterdir()] == ["report.md"]
    assert not goes.folder.exists()
    queue.cancel(runs.job.id)
    assert [entry.job.id for entry in ended(queue)] == [runs.job.id]


def test_a_retry_begins_again_in_a_folder_of_its_own(queue):
    first = queue.submit("sweep", "sensors", ["search.name=mine", "search.trials=3"])
    assert first.job.command[-2:] == ("search.name=mine", f"search.folder={queue.outputs / 'sweeps'}")
    queue.cancel(first.job.id)
    second = queue.retry(first.job.id)
    assert second.folder != first.folder
    assert second.job.overrides == ("search.trials=3",)
    with pytest.raises(FulmenError, match="mine is taken"):
        queue.submit("sweep", "sensors", ["search.name=mine"])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("fly", "sensors"), "kind: there is train"),
        (("train", ""), "none chosen"),
        (("train", "sensors", ["--config-dir=x"]), "is an option"),
        (("rank", "--outputs=x"), "is an option"),
        (("train", "sensors", ["output_dir=x"]), "a folder of its own"),
        (("rank", "sensors", [], {"folds": "many"}), "options.folds: it must be a whole number, got 'many'"),
        (("rank", "sensors", [], {"outputs": "x"}), "rank takes metric, folds, seeds, save_top"),
        (("compare", "", [], {"runs": ["one"]}), "two run folders"),
        (("rank", "sensors", ["folds=2"], {}), "takes folds as an option, --folds=2"),
        (("train", "", ["resume=/elsewhere"]), "does not lie in"),
    ],
)
def test_what_no_command_can_be_made_of_is_refused_and_leaves_nothing(queue, asked, said):
    with pytest.raises(FulmenError, match=said):
        queue.submit(*asked)
    assert queue.jobs() == []
    assert not any(Path(queue.outputs).glob("[!.]*"))


def test_a_run_that_was_started_by_hand_goes_on_as_a_job(queue):
    folder = queue.outputs / "runs" / "sensors" / "mine"
    folder.mkdir(parents=True)
    entry = queue.submit("train", "", [f"resume={folder}"])
    assert (entry.folder, entry.job.command) == (folder, ("train", f"resume={folder}"))
    assert ended(queue)[0].state == "completed"


def test_a_command_that_cannot_be_started_is_a_failed_job(queue):
    queue.program = ("/nowhere/python",)
    queue.submit("train", "sensors")
    entry = ended(queue)[0]
    assert (entry.state, entry.message) == (
        "failed", "cannot be started: No such file or directory: /nowhere/python",
    )  # fmt: skip


def test_a_queue_may_be_asked_by_many_threads_at_a_time(queue):
    ids = []

    def ask():
        for _ in range(10):
            ids.append(queue.submit("train", "sensors").job.id)
            queue.jobs()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(ids)) == 40
    assert {entry.job.id for entry in queue.jobs()} == set(ids)


def test_the_supervisor_needs_no_heavy_module():
    code = "import fulmen.launch.supervisor, sys; print([m for m in ('torch', 'hydra', 'numpy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_a_row_of_a_ranking_is_kept_by_the_verb_that_keeps_models(queue):
    options = {"ranking": "rankings/one", "row": 2, "name": "pump", "note": "-wins", "registry": "models"}
    entry = queue.submit("keep", "sensors", [], options)
    assert entry.job.typed == "fulmen models save rankings/one --row=2 --name=pump --note=-wins --registry=models"
    assert entry.job.command[-2:] == ("--exist=error", f"output_dir={entry.folder}")
    assert entry.folder.parent == queue.outputs / "runs" / "sensors"
    with pytest.raises(FulmenError, match=r"options\.name: which row"):
        queue.submit("keep", "sensors", [], {"ranking": "rankings/one", "row": 2})
