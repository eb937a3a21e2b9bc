"""Threads: as many as asked for or available, and idle ones sleep."""

import os

import pytest
import torch

from fulmen.utils.threads import available_threads, cpu_quota, quiet_waiting, set_threads


def test_programs_let_idle_threads_sleep_unless_the_user_chose_otherwise(monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv("KMP_BLOCKTIME", "200")
    quiet_waiting()
    assert (os.environ["OMP_WAIT_POLICY"], os.environ["KMP_BLOCKTIME"]) == ("PASSIVE", "200")


def test_set_threads_sets_what_it_returns(monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    try:
        assert set_threads(2) == torch.get_num_threads() == 2
        assert set_threads("auto") == torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_auto_never_exceeds_the_cores_this_process_may_use(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert 1 <= available_threads() <= (os.cpu_count() or 1)


@pytest.mark.parametrize(
    ("content", "cores"), [("max 100000", None), ("250000 100000", 2), ("50000 100000", 1), ("", None)]
)
def test_the_quota_of_a_container_is_read_in_whole_cores(tmp_path, content, cores):
    (tmp_path / "cpu.max").write_text(content)
    assert cpu_quota(tmp_path / "cpu.max") == cores
    assert cpu_quota(tmp_path / "missing") is None
