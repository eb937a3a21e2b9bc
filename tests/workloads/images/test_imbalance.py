import numpy as np
import pytest

from fulmen.errors import FulmenError
from fulmen.workloads.images.imbalance import Custom, Exponential, Step, choose

LABELS = np.random.default_rng(1).permutation(np.arange(10).repeat(50))


def kept(imbalance, seed=0):
    return np.bincount(LABELS[choose(LABELS, imbalance, seed)], minlength=10).tolist()


def test_counts_are_exact():
    assert kept(None) == [50] * 10
    assert kept(Step()) == [5, 5, 5, *[50] * 7]
    assert kept(Step([9], 0.5)) == [*[50] * 9, 25]
    assert kept(Custom(range(1, 11))) == list(range(1, 11))
    long_tail = kept(Exponential(50.0))
    assert long_tail == [int(50 * 50 ** (-c / 9)) for c in range(10)]
    assert long_tail[0] / long_tail[-1] == 50
    assert kept(Exponential(50.0, order=range(9, -1, -1))) == long_tail[::-1]


@pytest.mark.parametrize("imbalance", [Step(), Exponential(10.0), Custom([3] * 10)])
def test_no_image_comes_twice_and_the_draw_is_a_function_of_the_seed(imbalance):
    one, again, other = (choose(LABELS, imbalance, seed) for seed in (0, 0, 1))
    assert len(np.unique(one)) == len(one)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert len(one) == len(other)


@pytest.mark.parametrize("keep", [0.0, -0.1, 1.5])
def test_a_share_outside_its_range_is_refused(keep):
    with pytest.raises(FulmenError, match=f"keep is {keep}; it must be a number above 0 and at most 1"):
        Step(keep=keep)


@pytest.mark.parametrize(
    ("imbalance", "message"),
    [
        (Step([0], 0.001), "class 0 would keep 0 of its 50 images"),
        (Step([11]), "there is no class 11; the classes are 0 to 9"),
        (Custom([51] + [1] * 9), "class 0 would keep 51 of its 50 images"),
        (Custom([1, 2]), "images has 2 numbers; there are 10 classes"),
        (Exponential(order=[0, 0, 1]), "it must name each class from 0 to 9 once"),
    ],
)
def test_what_cannot_be_kept_is_refused(imbalance, message):
    with pytest.raises(FulmenError, match=message):
        choose(LABELS, imbalance, 0)


def test_a_factor_below_one_is_refused():
    with pytest.raises(FulmenError, match=r"factor is 0\.5"):
        Exponential(0.5)
