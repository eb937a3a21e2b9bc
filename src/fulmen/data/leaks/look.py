"""A scan for leaks as a run makes it: timed, once for the same samples, without a trace in anybody's random numbers."""

import random
import time
import warnings
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
import torch

from fulmen.data.leaks.deep import deepened
from fulmen.data.leaks.leak import Leak, ordered
from fulmen.data.leaks.samples import Fitted, Samples
from fulmen.data.leaks.scan import scan
from fulmen.diagnosis.ignored import Ignored
from fulmen.errors import FulmenError

REMEMBERED = 16  # scans of this process
DOUBTED = ("error", "warning")  # severities that are told; notes are for the report
NO_END = "the scan for leaks came to no end"
_scans: OrderedDict[tuple[int, ...], list[Leak]] = OrderedDict()


@dataclass(frozen=True)
class Looked:
    """What a scan came to.

    Attributes:
        leaks: the gravest first.
        ignored: leaks that are not to be reported.
        seconds: that it took.
        scanned: whether there was anything to scan, and the scan came to its end.
        failed: what a scan said that came to no end; "" of all others.
    """

    leaks: Sequence[Leak] = ()
    ignored: Sequence[Leak] = ()
    seconds: float = 0.0
    scanned: bool = False
    failed: str = ""

    @property
    def doubts(self) -> list[Leak]:
        """Errors and warnings."""
        return [leak for leak in self.leaks if leak.severity in DOUBTED]

    def refuse(self, mode: str, again: str = "leaks=scan") -> None:
        """Pass if the scan came to its end without a leak that is an error or a warning, and nothing makes the data
        unfit.

        Args:
            mode: by which it was asked for, such as `leaks=strict`.
            again: what trains all the same.

        Raises:
            FulmenError: there is one, and all are named with what removes them; or it is not known whether there is.
        """
        if self.failed:
            raise FulmenError(f"{mode}: {NO_END} ({self.failed}), nothing was trained; {again} trains all the same")
        found = [leak for leak in self.doubts if leak.severity == "error" or leak.id.startswith("FUL-L")]
        if not found:
            return
        ids = ",".join(dict.fromkeys(leak.id for leak in found))
        one = "a leak" if len(found) == 1 else f"{len(found)} leaks"
        lines = [f"{mode}: {one} in the data, nothing was trained", *(f"  {leak}" for leak in found)]
        raise FulmenError(
            "\n".join([*lines, f"  findings.ignore=[{ids}] passes over this; {again} trains all the same"])
        )


def look(make: Callable[[], Samples | None], deep: bool = False, ignored: Ignored | None = None) -> Looked:
    """Scan what `make` gives. A defect of a scan is a warning and ends nobody's training.

    Args:
        make: the hook `WorkloadData.all_samples`.
        deep: with models that are fitted without what is suspected.
        ignored: findings that are not to be reported.

    Raises:
        FulmenError: `make` refuses the data.
    """
    started, failed = time.monotonic(), ""
    with kept_random_states():
        try:
            samples = make()
            leaks = None if samples is None else _known(samples, deep)
        except FulmenError:
            raise
        except Exception as error:
            failed = f"{type(error).__name__}: {error}"
            warnings.warn(f"{NO_END} ({failed}); leaks=off leaves it out", UserWarning, stacklevel=2)
            leaks = None
    kept, left_out = (ignored or Ignored()).split(leaks or [])
    return Looked(kept, left_out, time.monotonic() - started, leaks is not None, failed)


def looked_further(looked: Looked, find: Callable[[], list[Leak]], ignored: Ignored | None = None) -> Looked:
    """With what `find` finds beside; the same object where that is nothing, or comes to no end."""
    started = time.monotonic()
    with kept_random_states():
        try:
            found = find()
        except Exception as error:
            warnings.warn(
                f"a search for leaks came to no end ({type(error).__name__}: {error})", UserWarning, stacklevel=2
            )
            found = []
    if not found:
        return looked
    kept, left_out = (ignored or Ignored()).split(found)
    seconds = looked.seconds + time.monotonic() - started
    return replace(looked, leaks=ordered([*looked.leaks, *kept]), ignored=[*looked.ignored, *left_out], seconds=seconds)


def _known(samples: Samples, deep: bool) -> list[Leak]:
    """The leaks of samples; of those that were scanned in this process before, those found then."""
    key = (int(deep), *marks(samples))
    if key not in _scans:
        found = scan(samples)
        _scans[key] = deepened(samples, found) if deep else found
        while len(_scans) > REMEMBERED:
            _scans.popitem(last=False)
    _scans.move_to_end(key)
    return _scans[key]


def marks(samples: Samples) -> tuple[int, ...]:
    """Numbers that change with whatever a scan looks at."""
    plain, arrays = [], []
    for place in fields(samples):
        value = getattr(samples, place.name)
        parts = value.items() if isinstance(value, Mapping) else enumerate(value) if place.name == "fitted" else ()
        for name, part in [(place.name, value)] if isinstance(value, np.ndarray) else parts:
            part = part.value if isinstance(part, Fitted) else part
            plain.append(str(name))
            arrays.append(_mark(part)) if isinstance(part, np.ndarray) else plain.append(repr(part))
        if isinstance(value, str | int | float | None):
            plain.append(repr(value))
    return (zlib.crc32("\n".join(plain).encode()), *arrays)


def _mark(values: np.ndarray) -> int:
    values = np.asarray(values)
    if values.dtype == object:
        values = pd.util.hash_array(np.array([repr(value) for value in values.ravel()], dtype=object))
    return zlib.crc32(np.ascontiguousarray(values).view(np.uint8).data, zlib.crc32(repr(values.shape).encode()))


@contextmanager
def kept_random_states() -> Iterator[None]:
    """What is drawn in this block from the generators that all share leaves them as they were."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
