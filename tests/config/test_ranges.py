"""One annotation says the range of an argument, to a config and to a call from Python."""

from collections.abc import Sequence
from typing import Annotated, Literal

import numpy as np
import pytest

from fulmen.config.ranges import Count, PartOfAll, Share, between, refuses_out_of_range
from fulmen.config.signatures import check_call
from fulmen.errors import FulmenError


class Made:
    @refuses_out_of_range
    def __init__(
        self, keep: PartOfAll, every: Count | None = None, threads: Count | Literal["auto"] = "auto",
        widths: Sequence[Count] = (1,), degrees: Annotated[float, between(0, 180)] = 10, free: int = -1,
    ):  # fmt: skip
        self.keep = keep


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"keep": 2}, "keep is 2; it must be a number above 0 and at most 1"),
        ({"keep": 1, "every": 0}, "every is 0; it must be a whole number of at least 1 or null"),
        ({"keep": 1, "threads": 0}, "threads is 0; it must be a whole number of at least 1 or auto"),
        ({"keep": 1, "threads": "all"}, "threads is all; it must be a whole number of at least 1 or auto"),
        ({"keep": 1, "widths": [8, 0]}, r"widths is \[8,0\]; it must be a list of whole numbers of at least 1"),
        ({"keep": 1, "degrees": 181}, "degrees is 181; it must be a number from 0 to 180"),
    ],
)
def test_a_call_and_a_config_refuse_the_same(arguments, says):
    with pytest.raises(FulmenError, match=says):
        Made(**arguments)
    assert [mistake.path for mistake in check_call(Made, arguments, "", "Made")] == [list(arguments)[-1]]


def test_what_is_in_range_passes_whatever_its_type():
    for arguments in (
        {"keep": np.float32(0.5), "every": np.int64(3), "widths": (1, 2)},
        {"keep": 1, "every": None, "threads": "auto", "degrees": 180, "free": -5},
    ):
        assert Made(**arguments).keep == arguments["keep"]


def test_an_argument_too_many_is_pythons_to_refuse():
    with pytest.raises(TypeError, match="unexpected keyword argument 'wrong'"):
        Made(keep=1, wrong=2)
    assert not Share.__metadata__[0].holds(1.0)
