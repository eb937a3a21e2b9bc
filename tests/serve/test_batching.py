"""Batches: what arrives together is answered together, and nobody pays for another's question."""

import threading

import pytest

from fulmen.serve.batching import Batcher, Closed, Full

PATIENCE = 10  # seconds


@pytest.fixture
def held():
    """A batcher whose thread waits at each batch until it is let on, and the batches it has seen."""
    go, seen = threading.Semaphore(0), []

    def answer(questions):
        seen.append(list(questions))
        assert go.acquire(timeout=PATIENCE)
        return [ValueError(each) if each == "bad" else each.upper() for each in questions]

    batcher = Batcher(answer, together=3, waiting=4, waiting_bytes=100)
    yield batcher, go, seen
    go.release(100)
    batcher.close()
    batcher.join(PATIENCE)


def first_in_work(batcher, seen):
    """Ask once, and wait until that is at work, so that all later questions wait."""
    first = batcher.ask("a", 1)
    while not seen:
        threading.Event().wait(0.001)
    return first


def test_what_comes_during_a_batch_is_the_next_and_one_bad_question_spoils_no_other(held):
    batcher, go, seen = held
    first = first_in_work(batcher, seen)
    others = [batcher.ask(each, 1) for each in ("b", "bad", "c", "d")]
    go.release(100)
    assert first.result(PATIENCE) == "A"
    assert [others[i].result(PATIENCE) for i in (0, 2, 3)] == ["B", "C", "D"]
    with pytest.raises(ValueError, match="bad"):
        others[1].result(PATIENCE)
    assert seen == [["a"], ["b", "bad", "c"], ["d"]]


def test_a_full_queue_refuses_by_number_and_by_bytes(held):
    batcher, _, seen = held
    first_in_work(batcher, seen)
    batcher.ask("b", 90)
    with pytest.raises(Full):
        batcher.ask("c", 20)
    for each in "cde":
        batcher.ask(each, 1)
    with pytest.raises(Full):
        batcher.ask("f", 1)


def test_a_question_that_was_taken_back_is_not_answered(held):
    batcher, go, seen = held
    first_in_work(batcher, seen)
    assert batcher.ask("b", 1).cancel()
    kept = batcher.ask("c", 1)
    go.release(100)
    assert kept.result(PATIENCE) == "C"
    assert seen[1] == ["c"]


def test_what_waits_is_answered_after_close_and_nothing_new_is_taken(held):
    batcher, go, seen = held
    first_in_work(batcher, seen)
    waiting = batcher.ask("b", 1)
    batcher.close()
    with pytest.raises(Closed):
        batcher.ask("c", 1)
    go.release(100)
    assert waiting.result(PATIENCE) == "B"


def test_a_defect_is_told_to_all_that_wait_for_it_and_the_next_is_answered():
    def answer(questions):
        if questions == ["x"]:
            raise RuntimeError("a defect")
        return list(questions)

    batcher = Batcher(answer)
    with pytest.raises(RuntimeError, match="a defect"):
        batcher.ask("x", 1).result(PATIENCE)
    assert batcher.ask("y", 1).result(PATIENCE) == "y"
    batcher.close()
