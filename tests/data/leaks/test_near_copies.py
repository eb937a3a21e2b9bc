"""Pictures that were altered and dealt to another split are found; pictures that only look alike are not."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from sklearn.datasets import load_digits

from fulmen.data.leaks.copies import copies
from fulmen.data.leaks.grain import same_grain
from fulmen.data.leaks.near_copies import near_copies
from fulmen.data.leaks.pictures import agreement, looks, oriented
from fulmen.data.leaks.samples import Samples


def samples(image, seed=0):
    split = np.random.default_rng(seed).choice(3, len(image), p=[0.7, 0.1, 0.2])
    return Samples(np.zeros(len(image), int), "classes", split, content=image, sample="image", splitting="random")


def scenes(count, seed=1):
    """Pictures of smooth noise at several scales, as photographs have [N, 3, 32, 32]."""
    rng = np.random.default_rng(seed)
    parts = [gaussian_filter(rng.normal(size=(count, 3, 32, 32)), (0, 0.5, s, s)) * s for s in (1, 2, 4, 8)]
    total = sum(parts)
    return np.clip(128 + 50 * total / total.std((1, 2, 3), keepdims=True), 0, 255).astype(np.uint8)


def encoded_again(image, rng):
    found = []
    for one in image.transpose(0, 2, 3, 1):
        file = io.BytesIO()
        Image.fromarray(one).save(file, "JPEG", quality=50)
        found.append(np.asarray(Image.open(file)))
    return np.stack(found).transpose(0, 3, 1, 2)


def moved(image, rng):
    down, across = rng.integers(-2, 3, (2, len(image)))
    return np.stack([np.roll(one, (d, a), (1, 2)) for one, d, a in zip(image, down, across, strict=True)])


CHANGES = {
    "encoded again": encoded_again,
    "brighter and noisy": lambda image, rng: np.clip(
        image.astype(float) + 8 + rng.normal(0, 4, image.shape), 0, 255
    ).astype("u1"),
    "mirrored": lambda image, rng: image[..., ::-1],
    "moved": moved,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_fifth_of_the_test_images_that_are_altered_training_images_are_found(change):
    rng = np.random.default_rng(2)
    honest = samples(scenes(1000))
    copied = honest.rows(2)[::5]
    taken = rng.choice(honest.rows(0), len(copied), replace=False)
    honest.content[copied] = CHANGES[change](honest.content[taken], rng)
    (leak,) = near_copies(honest)
    assert (leak.id, leak.severity, leak.evidence["splits"]) == ("FUL-L02", "error", ["train", "test"])
    assert 0.8 * len(copied) <= leak.evidence["count"] <= len(copied) + 3
    assert dict(leak.evidence["pairs"]).items() <= dict(zip(taken.tolist(), copied.tolist(), strict=True)).items()


def test_images_that_were_altered_before_they_were_dealt_are_found_though_training_holds_as_many():
    rng = np.random.default_rng(3)
    some = scenes(400)
    leaks = near_copies(samples(np.concatenate([some, encoded_again(some, rng), moved(some, rng)])))
    assert [(leak.severity, leak.evidence["splits"][1]) for leak in leaks] == [
        ("error", "test"),
        ("error", "validation"),
    ]


def drawings(count, rng):
    """Discs and squares of a size and a place by chance."""
    y, x = np.mgrid[:32, :32]
    found = np.zeros((count, 3, 32, 32), np.uint8)
    for one in found:
        (down, across), size = rng.uniform(8, 24, 2), rng.uniform(3, 7)
        apart = np.abs(np.stack([y - down, x - across]))
        one[:, (apart.max(0) if rng.random() < 0.5 else np.hypot(*apart)) < size] = rng.integers(80, 256)
    return found


def alike():
    rng = np.random.default_rng(4)
    digits = np.round(load_digits().images * (255 / 16)).astype(np.uint8).repeat(4, 1).repeat(4, 2)
    blank = np.clip(240 + rng.normal(0, 2, (800, 3, 32, 32)), 0, 255).astype(np.uint8)
    return {"digits": digits, "blank": blank, "drawings": drawings(1200, rng), "scenes": scenes(1000, 5)}


@pytest.mark.parametrize("kind", alike())
def test_pictures_that_only_look_alike_are_no_copies(kind):
    assert near_copies(samples(alike()[kind])) == []


def test_pictures_agree_whatever_their_place_light_and_size_and_others_do_not():
    image = scenes(40, 6)
    seen = looks(image).grey
    larger = np.stack([np.asarray(Image.fromarray(one[0, 2:30, 1:29]).resize((32, 32))) for one in image])
    assert agreement(looks(larger[:, None]).grey, looks(image[:, :1]).grey).min() > 0.9
    assert agreement(seen[:, :, ::-1], seen).max() < 0.9
    assert np.array_equal(oriented(oriented(seen, 1), 3), seen)


def test_sprites_of_which_there_are_few_repeat_by_chance_and_copies_of_photographs_do_not():
    rng = np.random.default_rng(7)
    sprites = np.zeros((900, 3, 24, 24), np.uint8)
    for one, down, across in zip(sprites, *rng.integers(0, 20, (2, 900)), strict=True):
        one[:, down : down + 4, across : across + 4] = 200
    assert copies(samples(sprites)) == []
    photographs = scenes(400, 8)
    assert {leak.code for leak in copies(samples(np.concatenate([photographs] * 3)))} == {"copies", "repeated_within"}
    blank = photographs.copy()
    blank[::20] = 255
    assert copies(samples(blank)) == []


def soft(seed, count=800, size=20):
    """Blobs of light that differ little from each other, under the grain of a camera."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    place, wide = rng.uniform(5, 15, (2, count, 1, 1)), rng.uniform(1.5, 5, (count, 1, 1))
    light = 60 + 110 * np.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / 2 / wide**2)
    return rng, (light[:, None] + rng.normal(0, 14, (count, 3, size, size))).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("way", ["moved", "noisy", "all four shots"])
def test_copies_of_soft_pictures_are_found_by_their_grain(way):
    rng, picture = soft(0)
    if way == "all four shots":
        shots = [picture[:200] + rng.normal(0, 5, picture[:200].shape) for _ in range(4)]
        picture = np.concatenate(shots).clip(0, 255).astype(np.uint8)[rng.permutation(800)]
    else:
        copied = picture[rng.choice(600, 60, replace=False)]
        changed = np.roll(copied, (1, 1), (2, 3)) if way == "moved" else copied + rng.normal(0, 5, copied.shape)
        picture[700:760] = changed.clip(0, 255)
    assert same_grain(picture, np.arange(600), np.arange(600, 800))[0] >= 50
    (leak,) = near_copies(Samples(np.zeros(800), "classes", np.repeat([0, 2], [600, 200]), content=picture))
    assert (leak.code, leak.severity) == ("near_copies", "error")
    assert ("grain" in leak.finding) == (way == "moved")  # the others are alike as a whole


@pytest.mark.parametrize("seed", range(4))
def test_soft_pictures_of_which_none_is_a_copy_are_let_be(seed):
    _, picture = soft(seed)
    assert near_copies(Samples(np.zeros(800), "classes", np.repeat([0, 2], [600, 200]), content=picture)) == []
