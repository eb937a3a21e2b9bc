"""A mark that gives the class of a picture away is found with its place; what a picture shows of its class is none."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from fulmen.data.leaks.marks import marks
from fulmen.data.leaks.samples import Samples


def samples(image, label):
    split = np.random.default_rng(0).choice(3, len(image), p=[0.7, 0.1, 0.2])
    return Samples(label, "classes", split, content=image, sample="image", splitting="random")


def gratings(count=900, classes=4, seed=1):
    """Stripes whose direction is their class, at a place and a width by chance, with noise."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, classes, count)
    angle, width, start = label * np.pi / classes, rng.uniform(0.3, 0.9, count), rng.uniform(0, 6.3, count)
    y, x = np.mgrid[:32, :32]
    along = x * np.cos(angle)[:, None, None] + y * np.sin(angle)[:, None, None]
    grey = 128 + 80 * np.sin(width[:, None, None] * along + start[:, None, None])
    image = grey[:, None].repeat(3, 1) + rng.normal(0, 10, (count, 3, 32, 32))
    return np.clip(image, 0, 255).astype(np.uint8), label


def digits():
    grey = np.round(load_digits().images * (255 / 16)).astype(np.uint8).repeat(4, 1).repeat(4, 2)
    return grey[:, None].repeat(3, 1), load_digits().target


@pytest.mark.parametrize("make", [gratings, digits])
def test_pictures_tell_their_class_without_a_mark(make):
    assert marks(samples(*make())) == []


@pytest.mark.parametrize("make", [gratings, digits])
def test_a_corner_that_is_white_in_one_class_is_found_with_its_place(make):
    image, label = make()
    image[label == 1, :, 1:4, 28:31] = 255
    (leak,) = marks(samples(image, label))
    assert leak.code == "target_proxy"
    assert (leak.evidence["rows"], leak.evidence["columns"]) == ([1, 4], [28, 31])
    assert leak.evidence["score"] > leak.evidence["chance"] + 0.05


def test_a_mark_that_stands_at_another_place_in_each_class_is_the_target():
    image, label = gratings()
    for c in range(4):
        image[label == c, :, 30:, 4 * c : 4 * c + 2] = 255
    (leak,) = marks(samples(image, label))
    assert (leak.code, leak.severity) == ("target_copy", "error")
    assert leak.evidence["rows"] == [30, 32]


def test_a_channel_whose_level_is_the_class_and_a_class_without_colours_are_found():
    image, label = gratings()
    level = image.copy()
    level[:, 2] = 20 * label[:, None, None]
    assert [leak.columns for leak in marks(samples(level, label))] == [("channel 2",)]
    image[label == 2] = image[label == 2, :1]
    assert [leak.columns for leak in marks(samples(image, label))] == [("there is no colour",)]


def test_a_mark_on_a_few_pictures_or_without_relation_to_the_class_is_none():
    image, label = gratings()
    image[::2, :, 1:4, 1:4] = 255
    assert marks(samples(image, label)) == []


def test_a_tint_of_whole_pictures_that_tells_the_class_is_found():
    image, label = gratings()
    tinted = np.clip(image * 0.5 + 40 + 15.0 * label[:, None, None, None], 0, 255).astype(np.uint8)
    (leak,) = marks(samples(tinted, label))
    assert (leak.code, leak.columns) == ("target_proxy", ("light",))


@pytest.mark.parametrize("right", [0.8, 0.6])
def test_a_stamp_in_a_corner_that_is_right_in_some_pictures_is_found(right):
    rng = np.random.default_rng(3)
    image, label = digits()
    image = np.clip(image[:, :, ::2, ::2] + rng.normal(0, 40, (len(image), 3, 16, 16)), 0, 255).astype(np.uint8)
    shown = np.where(rng.random(len(label)) < right, label, rng.permutation(label))
    image[:, :, :2, :2] = (shown * 25)[:, None, None, None]
    (leak,) = marks(samples(image, label))
    assert (leak.code, leak.severity) == ("target_proxy", "error")
    assert (leak.evidence["rows"], leak.evidence["columns"]) == ([0, 2], [0, 2])


def test_a_spot_that_some_of_a_class_show_in_one_pose_is_a_note():
    rng = np.random.default_rng(4)
    label = rng.integers(0, 2, 800)
    y, x = np.mgrid[:20, :20]
    face = 120 + 40 * np.exp(-((y - 10) ** 2 + (x - 10) ** 2) / 40)
    spot = 30 * np.exp(-((y - 6) ** 2 + (x - 13) ** 2) / 3)
    image = face + (label * rng.random(800))[:, None, None] * spot + rng.normal(0, 10, (800, 20, 20))
    found = marks(samples(np.clip(image, 0, 255).astype(np.uint8)[:, None], label))
    assert [leak.severity for leak in found] in ([], ["note"])
