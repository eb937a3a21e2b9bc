"""Leaks: what lets a score on the test split be better than what a model would reach on new samples."""

from fulmen.data.leaks.leak import Leak
from fulmen.data.leaks.samples import Fitted, Samples
from fulmen.data.leaks.scan import PROVES_NOTHING, scan

__all__ = ["PROVES_NOTHING", "Fitted", "Leak", "Samples", "scan"]
