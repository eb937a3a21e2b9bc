"""However many save, promote, delete and read at once: nothing acknowledged is lost, nobody sees half a version.

`benchmarks/registry_faults.py` does the same at full size.
"""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest

from .racers import collect, read_until, save_first, save_many, take_alias, write_and_delete

pytestmark = pytest.mark.slow
PROCESSES = 4


@pytest.fixture(scope="module")
def pool():
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize("names", ["same", "distinct"])
def test_no_acknowledged_save_is_lost(store, pool, names):
    def of(who):
        return ["pump"] * 8 if names == "same" else [f"{who}-{i}" for i in range(8)]

    tasks = [pool.submit(save_many, str(store.root), of(f"p{i}"), f"p{i}") for i in range(PROCESSES)]
    with ThreadPoolExecutor(4) as threads:
        tasks += [threads.submit(save_many, str(store.root), of(f"t{i}"), f"t{i}") for i in range(4)]
    acknowledged = dict(pair for task in tasks for pair in task.result())
    assert len(acknowledged) == 8 * (PROCESSES + 4)
    there = {str(version): version for version in store.versions()}
    assert set(there) == set(acknowledged)
    for name, note in acknowledged.items():
        assert there[name].manifest["note"] == note
        assert there[name].verify()["weights.safetensors"] == note.encode() * 20
    assert not list((store.root / ".tmp").iterdir())


def test_one_of_many_gets_a_new_name(store, pool):
    tasks = [pool.submit(save_first, str(store.root), str(i)) for i in range(12)]
    assert sum(task.result() for task in tasks) == 1
    assert store.numbers("pump") == [1]


def test_one_of_many_moves_an_alias(store, pool):
    save_many(str(store.root), ["pump"] * 12, "x")
    for expected in (None, store.find("pump:12").number):
        if expected:
            store.promote(store.find("pump:12"), "champion")
        tasks = [pool.submit(take_alias, str(store.root), i, expected) for i in range(1, 12)]
        won = [i for i, task in enumerate(tasks, 1) if task.result()]
        assert len(won) == 1
        assert store.aliases("pump").aliases == {"champion": won[0]}
    moves = store.aliases("pump").history
    assert [entry["before"] for entry in moves[1:]] == [entry["version"] for entry in moves[:-1]]


def test_readers_never_see_half_a_version(store, pool, tmp_path):
    stop = tmp_path / "stop"
    save_many(str(store.root), ["kept"], "x")
    readers = [pool.submit(read_until, str(store.root), str(stop)), pool.submit(collect, str(store.root), str(stop))]
    writers = [pool.submit(write_and_delete, str(store.root), 25, name) for name in ("kept", "kept")]
    try:
        assert [task.result() for task in writers] == [25, 25]
    finally:
        stop.touch()
    read, errors = readers[0].result()
    assert errors == []
    assert read > 0
    assert readers[1].result() is None
    assert store.numbers("kept") == [1]
