"""The promises of an experiment, each as a check that is called by a loop or by pytest."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar
from unittest import SkipTest

import pytest

from fulmen.config.mistakes import ConfigError, did_you_mean
from fulmen.errors import FulmenError
from fulmen.runs.result import Result
from fulmen.testing.promises import BrokenPromise, Promises

NAMES = [name for name, found in vars(Promises).items() if callable(found) and name[0] != "_"]


def checks(
    experiment: str, *overrides: str, expected_failures: Mapping[str, str] | None = None, steps: int = 200
) -> Iterator[tuple[str, Callable[[], None]]]:
    """The name of each promise, and a function without arguments that raises `BrokenPromise` if it is not kept.

    Nothing is trained before the first check is called; those that need a finished run share one.

    Args:
        experiment: as typed.
        overrides: that make it small.
        expected_failures: name -> why that promise is not kept. Such a check raises `unittest.SkipTest` with the reason
            (pytest says "skipped"), or `BrokenPromise` if the promise is kept after all.
        steps: on one batch, after which less than a tenth of its first loss is left, at the latest.

    Raises:
        FulmenError: an expected failure that no check is called.
    """
    yield from _checks(Promises(experiment, overrides, steps), expected_failures or {})


def parametrize_with_checks(
    experiment: str, *overrides: str, expected_failures: Mapping[str, str] | None = None, steps: int = 200
) -> pytest.MarkDecorator:
    """Parametrizes the argument `check` of a test with the `checks` of these arguments."""
    found = dict(checks(experiment, *overrides, expected_failures=expected_failures, steps=steps))
    return pytest.mark.parametrize("check", found.values(), ids=found.keys())


@dataclass(frozen=True)
class Check:
    """One promise, to be called. `expected`: why it is not kept."""

    name: str
    promise: Callable[[], None]
    expected: str | None = None

    def __call__(self) -> None:
        if self.expected is None:
            return self.promise()
        try:
            self.promise()
        except ConfigError:
            raise  # nothing was tried
        except (BrokenPromise, FulmenError) as error:
            raise SkipTest(f"{self.expected} ({str(error).splitlines()[0]})") from error
        raise BrokenPromise(f"{self.name} is kept after all: take it out of expected_failures ({self.expected})")


class Conformance:
    """The checks as a class of tests: subclass it with the name of an experiment.

    Attributes:
        experiment: as typed.
        typed: overrides that make it small.
        steps: see `checks`.
        expected_failures: see `checks`.
    """

    experiment: ClassVar[str]
    typed: ClassVar[Sequence[str]] = ()
    steps: ClassVar[int] = 200
    expected_failures: ClassVar[Mapping[str, str]] = {}

    @classmethod
    @cache
    def promises(cls) -> Promises:
        return Promises(cls.experiment, cls.typed, cls.steps)

    @pytest.fixture(scope="class")
    @classmethod
    def finished(cls) -> Result:
        """A short training that is over, for tests of one's own beside these."""
        return cls.promises().finished

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "check" in metafunc.fixturenames:
            found = dict(_checks(self.promises(), self.expected_failures))
            metafunc.parametrize("check", found.values(), ids=found.keys())

    def test_promise(self, check: Check) -> None:
        check()


def _checks(promises: Promises, expected: Mapping[str, str]) -> Iterator[tuple[str, Check]]:
    if strangers := [name for name in expected if name not in NAMES]:
        raise FulmenError(f"expected_failures: no check is called {strangers[0]}{did_you_mean(strangers[0], NAMES)}")
    for name in NAMES:
        yield name, Check(name, getattr(promises, name), expected.get(name))
