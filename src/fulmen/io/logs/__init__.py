"""Logs of other tools: their shapes, the choice of training and validation, and one pair of values a check."""

from fulmen.io.logs.options import LogOptions
from fulmen.io.logs.read import Log, read_log

__all__ = ["Log", "LogOptions", "read_log"]
