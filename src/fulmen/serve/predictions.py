"""Questions to kept models: found, loaded if need be, answered in time or refused in words."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fulmen.registry.versions import Version
from fulmen.serve.batching import Closed, Full
from fulmen.serve.problems import Problem
from fulmen.serve.questions import Question, Reply, answer_all
from fulmen.serve.warm import Warm, WarmModels

if TYPE_CHECKING:
    from fulmen.registry.predictor import Predictor

Observer = Callable[[str, int, int, float], None]


class Predictions:
    """What the routers ask for predictions.

    Args:
        registry: the folder of kept models.
        largest_bytes: of all models in memory.
        seconds: that a question may take, loading the model included.

    Attributes:
        observers: called with the model's name, its version, the number of rows and the seconds after every answer.
    """

    def __init__(self, registry: Path, largest_bytes: int, seconds: float):
        self.warm = WarmModels(registry, largest_bytes, load, answer_all)
        self.seconds = seconds
        self.observers: list[Observer] = []

    async def model(self, reference: str) -> Warm:
        """A model that is ready.

        Raises:
            FulmenError: there is none of that name, or it is damaged.
            Problem: 503 where loading takes too long.
        """
        loading = self.warm.get(reference)
        if loading.done():
            return loading.result()
        try:
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(loading)), self.seconds)
        except TimeoutError:
            raise busy(f"{reference} is still being loaded after {self.seconds:g} s", after=5) from None

    async def ask(self, reference: str, question: Question) -> Reply:
        """The answer to a question.

        Raises:
            FulmenError: there is no such model, or it is damaged.
            Problem: what was asked wrongly; 503 where too many wait, or it took too long.
        """
        size = question.file.stat().st_size if question.file else len(question.body)
        began = time.perf_counter()
        for _ in range(3):  # a model that is let go in between is loaded again
            warm = await self.model(reference)
            try:
                answer = warm.batcher.ask(question, size)
                break
            except Closed:
                continue
            except Full:
                raise busy(
                    f"{len(warm.batcher):,} requests wait for {warm.predictor.version} already", after=1
                ) from None
        else:
            raise busy(f"{reference} is let go for other models again and again", after=5)
        try:
            reply = await asyncio.wait_for(asyncio.wrap_future(answer), self.seconds)
        except TimeoutError:
            raise busy(f"no answer within {self.seconds:g} s; ask for fewer rows", after=5) from None
        version = warm.predictor.version
        for observe in self.observers:
            observe(version.name, version.number, reply.rows, time.perf_counter() - began)
        return reply

    def close(self) -> None:
        """Let all models go."""
        self.warm.close()


def busy(detail: str, after: int) -> Problem:
    """503, and in how many seconds to come again."""
    return Problem(503, f"{detail}; try again in {after} s", headers={"Retry-After": str(after)})


def load(version: Version) -> "Predictor":
    """A version in memory. With one thread, since a small model costs less than handing its rows to others does."""
    from fulmen.registry.predictor import Predictor
    from fulmen.utils.threads import set_threads

    set_threads(1)
    return Predictor(version)


def examples(predictor: "Predictor") -> Sequence[dict[str, object]]:
    """Records to try a model with.

    Raises:
        Problem: its workload knows none.
    """
    found = predictor.examples()
    if not found:
        raise Problem(404, f"{predictor.version}: its workload has no examples of an input (no example_records)")
    return found
