"""A budget of time for what is not training."""

import time
from collections import Counter
from collections.abc import Callable


class Governor:
    """Lets jobs run as long as all of them together stay below a share of the time that has passed.

    What a job will cost is what it cost the last time; before that, what its owner guesses. A job that does not fit is
    skipped, counted, and waits: until it had its turn, jobs that had more so far get along with half of the budget.

    Args:
        share: of the time since the start.
        clock: seconds.
    """

    def __init__(self, share: float, clock: Callable[[], float] = time.perf_counter):
        self.share, self.clock = share, clock
        self.started = clock()
        self.spent = 0.0
        self.done: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.cost: dict[str, float] = {}
        self.had: Counter[str] = Counter()  # seconds, by job
        self.waiting: set[str] = set()

    def run(self, name: str, job: Callable[[], None], guess: float) -> bool:
        """Do `job` if it fits; whether it was done.

        Args:
            guess: seconds it takes the first time.
        """
        now = self.clock()
        behind = any(self.had[other] < self.had[name] for other in self.waiting - {name})
        budget = self.share * (now - self.started) * (0.5 if behind else 1)
        if self.spent + self.cost.get(name, guess) > budget:
            self.skipped[name] += 1
            self.waiting.add(name)
            return False
        try:
            job()
        finally:
            self.cost[name] = self.clock() - now
            self.spent += self.cost[name]
            self.had[name] += self.cost[name]
        self.done[name] += 1
        self.waiting.discard(name)
        return True

    def account(self) -> str:
        """`monitoring took 2.1 % of the time; left out to keep to 5 %: graph 1 of 1, histograms 3 of 20`"""
        passed = max(self.clock() - self.started, 1e-9)
        text = f"monitoring took {self.spent / passed:.1%} of the time"
        if not self.skipped:
            return text
        left = (f"{name} {count} of {count + self.done[name]}" for name, count in sorted(self.skipped.items()))
        return f"{text}; left out to keep to {self.share:.0%}: {', '.join(left)}"
