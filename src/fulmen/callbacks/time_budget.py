"""A budget of time for what is not training."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable

SHORT = 4.0  # seconds of an epoch that earn the whole share
LONG = 5  # times less is what all of a long epoch earns: from 20 seconds on, 1 % where the share is 5 %
KEPT = 0.3  # seconds at most that are kept for a job
MARGIN = 0.6  # of what was earned: a job may cost more than the last time, and to ask costs too


class TimeBudget:
    """Lets jobs run as long as all of them together stay below a share of the time that has passed.

    The share is that of short epochs; epochs of 20 seconds or more give a fifth of it. What a job will cost is what it
    cost the last time; before that, what its owner guesses. A job that does not fit is skipped, counted, and waits:
    until it had its turn, jobs that had more so far get along with half of the budget. What is kept for a job that
    must not be left out is not spent on others.

    Args:
        share: of the time of each epoch.
        clock: seconds.
    """

    def __init__(self, share: float, clock: Callable[[], float] = time.perf_counter):
        self.share, self.clock = share, clock
        self.started = self.epoch_began = clock()
        self.earned = self.spent = 0.0
        self.done: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.cost: dict[str, float] = {}
        self.had: defaultdict[str, float] = defaultdict(float)  # seconds, by job
        self.waiting: set[str] = set()
        self.kept: dict[str, float] = {}  # seconds, by job

    def begin_epoch(self) -> None:
        """What the epoch that ends here has earned is kept."""
        now = self.clock()
        self.earned += self._earned(now - self.epoch_began)
        self.epoch_began = now

    def run(self, name: str, job: Callable[[], None], guess: float) -> bool:
        """Do `job` if it fits; whether it was done.

        Args:
            guess: seconds it takes the first time.
        """
        now = self.clock()
        behind = any(self.had[other] < self.had[name] for other in self.waiting - {name})
        budget = MARGIN * (self.earned + self._earned(now - self.epoch_began)) * (0.5 if behind else 1)
        kept = sum(seconds for other, seconds in self.kept.items() if other != name)
        if self.spent + kept + self.cost.get(name, guess) > budget:
            self.skipped[name] += 1
            if name not in self.kept:
                self.waiting.add(name)
            return False
        self._do(name, job)
        return True

    def keep(self, name: str, guess: float = 0.0) -> None:
        """Keep for `name` what it will cost, or `guess` seconds before that is known."""
        self.kept[name] = min(self.cost.get(name, guess), KEPT)

    def run_at_last(self, name: str, job: Callable[[], None]) -> bool:
        """Do what must not be left out, whether it fits or not."""
        self._do(name, job)
        self.kept.pop(name, None)
        return True

    def _do(self, name: str, job: Callable[[], None]) -> None:
        self.cost[name] = self.count(job)
        self.had[name] += self.cost[name]
        self.done[name] += 1
        self.waiting.discard(name)

    def count(self, job: Callable[[], None]) -> float:
        """Do what cannot be left out, and count it; the seconds it took."""
        began = self.clock()
        try:
            job()
        finally:
            took = self.clock() - began
            self.spent += took
        return took

    def account(self) -> str:
        """`monitoring took 2.1% of the time; left out to keep to 5% (1% of long epochs): graph 1 of 1`"""
        passed = max(self.clock() - self.started, 1e-9)
        text = f"monitoring took {self.spent / passed:.1%} of the time"
        if not self.skipped:
            return text
        left = (f"{name} {count} of {count + self.done[name]}" for name, count in sorted(self.skipped.items()))
        return (
            f"{text}; left out to keep to {self.share:.0%} ({self.share / LONG:.0%} of long epochs): {', '.join(left)}"
        )

    def _earned(self, seconds: float) -> float:
        return self.share * min(seconds, max(SHORT, seconds / LONG))
