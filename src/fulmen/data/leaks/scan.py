"""The first tier of the search for leaks: what shows without training anything."""

from collections.abc import Callable, Sequence

from fulmen.data.leaks.copies import copies
from fulmen.data.leaks.delayed import delayed
from fulmen.data.leaks.filled import filled
from fulmen.data.leaks.foretold import foretold
from fulmen.data.leaks.leak import Leak, ordered
from fulmen.data.leaks.marks import marks
from fulmen.data.leaks.near_copies import near_copies
from fulmen.data.leaks.samples import Samples
from fulmen.data.leaks.unfit import unfit
from fulmen.report.leaks import PROVES_NOTHING as PROVES_NOTHING

Detector = Callable[[Samples], list[Leak]]
OF_SERIES: Sequence[Detector] = (delayed, filled, foretold)
DETECTORS: Sequence[Detector] = (copies, near_copies, marks, *OF_SERIES, unfit)


def scan(samples: Samples) -> list[Leak]:
    """The leaks that show without training, the gravest first.

    Args:
        samples: of all splits together; see `fulmen.workload.WorkloadData.all_samples`.
    """
    return ordered([leak for detector in DETECTORS for leak in detector(samples)])
