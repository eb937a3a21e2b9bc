"""The first tier of the search for leaks: what shows without training anything."""

from collections.abc import Callable, Sequence

from fulmen.data.leaks.copies import copies
from fulmen.data.leaks.leak import Leak, ordered
from fulmen.data.leaks.samples import Samples

Detector = Callable[[Samples], list[Leak]]
DETECTORS: Sequence[Detector] = (copies,)
PROVES_NOTHING = "finding nothing proves nothing: a leak that shows in no copy, column, group or time is not seen"


def scan(samples: Samples) -> list[Leak]:
    """The leaks that show without training, the gravest first.

    Args:
        samples: of all splits together; see `fulmen.workload.WorkloadData.samples`.
    """
    return ordered([leak for detector in DETECTORS for leak in detector(samples)])
