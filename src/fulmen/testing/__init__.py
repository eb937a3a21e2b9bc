"""The promises that every experiment keeps, as checks. In a project of one's own, in a file of tests:

    from fulmen.testing import parametrize_with_checks

    @parametrize_with_checks("mylab", "data.samples=50", expected_failures={"predicts_files": "it reads images"})
    def test_promise(check):
        check()

or, without a file, `for name, check in fulmen.testing.checks("mylab"): check()`. They train the experiment four times,
in seconds where the data are small; overrides make them so. A check that fails says which promise is broken, and how to
keep it. pytest has to be installed.
"""

from fulmen.testing.checks import Check, Conformance, checks, parametrize_with_checks
from fulmen.testing.leaks.plant import CELLS, MECHANISMS, Planted, plant
from fulmen.testing.leaks.sources import Curves, Pictures, Prices, Table
from fulmen.testing.promises import BrokenPromise, train

__all__ = [
    "CELLS", "MECHANISMS", "BrokenPromise", "Check", "Conformance", "Curves", "Pictures", "Planted", "Prices", "Table",
    "checks", "parametrize_with_checks", "plant", "train",
]  # fmt: skip
