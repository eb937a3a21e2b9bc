"""A handful of the kills of benchmarks/proofs/killed_queue.py."""

import pytest
import queue_kills


@pytest.mark.parametrize("step", [2, 7, 14, 23, 38, 55])
def test_whoever_uses_a_queue_may_be_killed_in_any_write(tmp_path, step):
    assert queue_kills.killed_at(step, tmp_path)


@pytest.mark.parametrize("step", [1, 6, 12, 14, 17])
def test_the_process_that_runs_a_job_may_be_killed_in_any_write(tmp_path, step):
    assert queue_kills.supervisor_killed_at(step, tmp_path)


@pytest.mark.slow
def test_a_queue_may_be_killed_at_any_moment(tmp_path):
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    (tmp_path / "journal.txt").touch()
    for seed in range(4):
        queue_kills.run("at_random", outputs, seed=seed, seconds=0.8)
        assert queue_kills.verified(outputs)
    assert set(queue_kills.finish(outputs)) <= {"completed", "cancelled"}
