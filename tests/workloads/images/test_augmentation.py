"""The oracle is PIL, image by image."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image

from fulmen.errors import FulmenError
from fulmen.workloads.images.augmentation import (
    OPERATIONS,
    Augmentation,
    angles,
    flipped,
    move,
    randaugment,
    turn_table,
)
from fulmen.workloads.images.mixup import cutmix, mixup

IMAGES = torch.randint(0, 256, (64, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def pil(image):
    return Image.fromarray(np.ascontiguousarray(image.permute(1, 2, 0).numpy()))


@pytest.mark.parametrize("size", [(32, 32), (28, 20)])
def test_flips_and_rotations_are_pils_to_the_bit(size):
    image = torch.randint(0, 256, (200, 3, *size), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    degrees, table = angles(10.0), turn_table(*size, 10.0, True)
    assert len(table) == 2 * len(degrees) == 802
    choice = torch.randint(len(table), (200,), generator=torch.Generator().manual_seed(2))
    changed = move(image, table[choice])
    for before, after, k in zip(image, changed, choice.tolist(), strict=True):
        expected = pil(before)
        if k >= len(degrees):
            expected = expected.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        expected = expected.rotate(float(degrees[k % len(degrees)]))
        assert np.array_equal(after.permute(1, 2, 0).numpy(), np.asarray(expected))


def test_each_image_gets_its_own_change():
    torch.manual_seed(0)
    same = IMAGES[:1].expand(64, -1, -1, -1)
    changed = Augmentation(flip=True)(same)
    assert len({each.numpy().tobytes() for each in changed}) > 40


def test_nothing_asked_for_changes_nothing():
    assert torch.equal(Augmentation(flip=False, rotate_degrees=0.0)(IMAGES), IMAGES)


def test_crops_are_windows_of_the_image_in_a_black_border():
    torch.manual_seed(0)
    changed = Augmentation(rotate_degrees=0.0, crop_pixels=4)(IMAGES)
    offsets = set()
    for before, after in zip(IMAGES, changed, strict=True):
        padded = torch.nn.functional.pad(before, (4, 4, 4, 4))
        windows = {(y, x): padded[:, y : y + 32, x : x + 32] for y in range(9) for x in range(9)}
        found = [offset for offset, window in windows.items() if torch.equal(window, after)]
        assert len(found) == 1
        offsets.update(found)
    assert len(offsets) > 20


def test_a_crop_after_a_rotation_is_both_one_after_the_other():
    whole = Augmentation(flip=True, rotate_degrees=10.0, crop_pixels=2)
    torch.manual_seed(5)
    together = whole(IMAGES)
    torch.manual_seed(5)
    turned = Augmentation(flip=True, rotate_degrees=10.0)(IMAGES)
    both = Augmentation(rotate_degrees=0.0, crop_pixels=2)(turned)
    assert torch.equal(together, both)


def test_cutout_blackens_one_square():
    torch.manual_seed(0)
    white = torch.full((200, 3, 32, 32), 255, dtype=torch.uint8)
    black = (Augmentation(rotate_degrees=0.0, cutout_pixels=8)(white) == 0).all(1)
    for hole in black:
        rows, columns = hole.any(1), hole.any(0)
        assert torch.equal(hole, rows[:, None] & columns[None])
        assert 4 <= rows.sum() <= 8
        assert 4 <= columns.sum() <= 8
    assert (black.sum((1, 2)) == 64).any()


def test_randaugment_gives_each_image_what_torchvision_gives_it_alone():
    torch.manual_seed(3)
    changed = randaugment(IMAGES, 1, 9)
    torch.manual_seed(3)
    drawn = torch.randint(2 * len(OPERATIONS), (64,))
    assert len(drawn.unique()) > 20
    for before, after, choice in zip(IMAGES, changed, drawn.tolist(), strict=True):
        alone = OPERATIONS[choice // 2](before[None], (1 - 2 * (choice % 2)) * 0.3)[0]
        assert torch.equal(alone, after)


def test_randaugment_leaves_its_input_alone():
    before = IMAGES.clone()
    torch.manual_seed(0)
    assert not torch.equal(Augmentation(randaugment=2)(IMAGES), before)
    assert torch.equal(IMAGES, before)


def test_mixup_is_a_weighted_mean_of_image_and_partner():
    torch.manual_seed(0)
    x, label = torch.rand(32, 3, 8, 8), torch.arange(32)
    mixed = mixup(x, label, 1.0)
    assert 0 < mixed.share < 1
    torch.testing.assert_close(mixed.image, mixed.share * x + (1 - mixed.share) * x[mixed.other])


def test_cutmix_shares_are_the_areas():
    x, label = torch.arange(32.0).view(32, 1, 1, 1).expand(32, 3, 16, 16).contiguous(), torch.arange(32)
    for seed in range(20):
        torch.manual_seed(seed)
        mixed = cutmix(x, label, 1.0)
        own = (mixed.image == label.view(32, 1, 1, 1)).float().mean((1, 2, 3))
        foreign = (mixed.image == mixed.other.view(32, 1, 1, 1)).float().mean((1, 2, 3))
        changed = mixed.other != label
        torch.testing.assert_close(own[changed], torch.full_like(own[changed], mixed.share))
        torch.testing.assert_close(foreign[changed], torch.full_like(own[changed], 1 - mixed.share))


def test_alternating_flips_show_every_image_both_ways_in_any_two_epochs():
    augmentation, item = Augmentation(flip="alternating", rotate_degrees=0), torch.arange(1000, 1064)
    shown = []
    for epoch in range(6):
        order = torch.randperm(64)  # the place in the batch does not matter
        changed = torch.empty_like(IMAGES)
        changed[order] = augmentation(IMAGES[order], item[order], epoch)
        mirrored = (changed == IMAGES.flip(-1)).flatten(1).all(1)
        assert torch.equal(changed, torch.where(mirrored[:, None, None, None], IMAGES.flip(-1), IMAGES))
        shown.append(mirrored)
    assert [epoch for epoch, (before, now) in enumerate(pairwise(shown), 1) if not torch.equal(now, ~before)] == []


def test_in_each_epoch_half_of_the_images_are_flipped_and_neighbours_independently():
    once = flipped(torch.arange(50_000), 0).double()
    assert abs(once.mean() - 0.5) < 0.01
    correlation = {lag: abs(np.corrcoef(once[:-lag], once[lag:])[0, 1]) for lag in (1, 2, 7, 10, 64)}
    assert {lag: value for lag, value in correlation.items() if value >= 0.02} == {}


@pytest.mark.parametrize("setting", [{"rotate_degrees": 200.0}, {"crop_pixels": -1}, {"magnitude": 31}])
def test_impossible_settings_are_refused(setting):
    with pytest.raises(FulmenError, match=f"{next(iter(setting))} is"):
        Augmentation(**setting)
