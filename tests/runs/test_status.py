"""How a run ended stands in result.json and in the exit code, whichever way Lightning hands the interruption on."""

import os
import signal
import sys
from types import SimpleNamespace

import pytest

from fulmen.errors import Interrupted
from fulmen.runs.reading import read_result
from fulmen.runs.result import Result
from fulmen.runs.status import recorded

RANK_ZERO = SimpleNamespace(is_global_zero=True, current_epoch=0, global_step=0)


def exits(number):
    """What Lightning's trainer does with an interruption before its first batch: a bare exit(1)."""
    try:
        os.kill(os.getpid(), number)
    except KeyboardInterrupt:
        sys.exit(1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
@pytest.mark.parametrize("end", [exits, lambda number: os.kill(os.getpid(), number)], ids=["exit", "raise"])
def test_the_exit_code_names_the_signal(tmp_path, number, end):
    with pytest.raises(Interrupted) as interruption, recorded(Result("any", tmp_path), RANK_ZERO):
        end(number)
    assert interruption.value.exit_code == 128 + number
    assert read_result(tmp_path)["status"] == "interrupted"
