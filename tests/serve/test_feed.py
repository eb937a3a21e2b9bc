"""Events of jobs: nothing is missed, whoever listens when; many listeners cost one look."""

import asyncio
import json
import threading

import pytest
from short_jobs import PROGRAM

from fulmen.launch.queue import Queue
from fulmen.serve import feed as feeds
from fulmen.serve.feed import Feed


@pytest.fixture
def queue(tmp_path):
    return Queue(tmp_path, program=PROGRAM)


@pytest.fixture
def feed(queue, monkeypatch):
    monkeypatch.setattr(feeds, "SECONDS", 0.02)
    return Feed(queue, threading.Event())


def told(event):
    data = json.loads(event.data)
    return event.event, data.get("id"), data.get("state")


async def until(stream, wanted):
    """What a listener is told up to this."""
    heard = []
    async for event in stream:
        heard.append(event)
        if told(event) == wanted:
            return heard
    raise AssertionError(f"{wanted} has not come")


def ticking(queue, test):
    """Run a test beside somebody who lets the queue work."""

    async def tick():
        while True:
            await asyncio.to_thread(queue.tick)
            await asyncio.sleep(0.02)

    async def both():
        ticker = asyncio.create_task(tick())
        try:
            await asyncio.wait_for(test(), 60)
        finally:
            ticker.cancel()

    asyncio.run(both())


def test_a_listener_hears_of_every_state_and_then_that_the_job_is_gone(queue, feed):
    id = queue.submit("train", "sensors", ["seconds=0.2"]).job.id

    async def test():
        stream = feed.listen(id)
        heard = [told(event) for event in await until(stream, ("job", id, "completed"))]
        assert heard[0] == ("job", id, "queued")
        assert ("job", id, "running") in heard
        queue.delete(id, folder=True)
        assert told((await until(stream, ("gone", id, None)))[-1])[0] == "gone"

    ticking(queue, test)


def test_who_was_cut_off_goes_on_from_there_and_who_heard_another_process_hears_all(queue, feed):
    first = queue.submit("train", "sensors").job.id

    async def test():
        heard = await until(feed.listen(), ("job", first, "completed"))
        second = queue.submit("train", "sensors").job.id
        again = await until(feed.listen(None, heard[-1].id), ("job", second, "completed"))
        assert not any(told(event)[1] == first for event in again)
        other = await until(feed.listen(None, "0000-7"), ("job", second, "completed"))
        assert ("job", first, "completed") in map(told, other)

    ticking(queue, test)


def test_the_queue_is_told_of_too_and_stopping_ends_all_listeners(queue, feed):
    async def test():
        stream = feed.listen()
        assert told(await anext(stream)) == ("queue", None, None)
        queue.pause()
        assert json.loads((await anext(stream)).data)["paused"] is True
        feed.stopping.set()
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    ticking(queue, test)


def test_a_hundred_listeners_cost_one_look_each_time(queue, feed, monkeypatch):
    looks = []
    look = feed._found
    monkeypatch.setattr(feed, "_found", lambda everything: looks.append(everything) or look(everything))

    async def test():
        streams = [feed.listen() for _ in range(100)]
        for stream in streams:
            await anext(stream)
        before = len(looks)
        await asyncio.sleep(0.2)
        assert len(looks) - before <= 12
        for stream in streams:
            await stream.aclose()
        await asyncio.sleep(0.1)
        assert feed._task.done(), "nobody listens, nobody looks"

    ticking(queue, test)
