import pytest
import torch
from scipy.stats import chisquare
from torch.utils.data import WeightedRandomSampler

from fulmen.data.batches import BatchLoader
from fulmen.errors import FulmenError
from fulmen.workloads.images.samplers import ClassBalanced, Deferred, Shuffle, Weighted

COUNTS = torch.tensor([5, 20, 80, 300])
LABELS = torch.arange(4).repeat_interleave(COUNTS)[torch.randperm(405, generator=torch.Generator().manual_seed(3))]


def draw(sampler, labels=LABELS, seed=0, progress=0.0):
    return sampler(labels, torch.Generator().manual_seed(seed), progress)


def test_shuffling_shows_every_image_once():
    assert torch.equal(draw(Shuffle()).sort().values, torch.arange(405))


@pytest.mark.parametrize("size", [405, 403])
def test_class_balanced_epochs_are_balanced_to_the_image(size):
    labels = LABELS[:size]
    index = draw(ClassBalanced(), labels)
    shown = labels[index].bincount()
    assert len(index) == size
    assert shown.max() - shown.min() <= 1
    for c in range(4):  # no image a second time before all of its class had their turn
        times = index[labels[index] == c].bincount(minlength=size)[labels == c]
        assert times.max() - times.min() <= 1


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_weighted_frequencies_are_those_of_the_weighted_random_sampler(power):
    """Chi-square of class and image frequencies against the weights that torch's sampler is given."""
    weights = COUNTS.double()[LABELS] ** -power
    index = torch.cat([draw(Weighted(power), seed=seed) for seed in range(200)])
    expected = weights / weights.sum() * len(index)
    assert chisquare(index.bincount(minlength=405), expected).pvalue > 1e-3
    reference = torch.tensor(list(WeightedRandomSampler(weights.tolist(), len(index), generator=torch.Generator())))
    shown, by_torch = (LABELS[each].bincount(minlength=4).double() for each in (index, reference))
    assert ((shown - by_torch).abs() < 6 * by_torch.sqrt()).all()


def test_deferred_sampling_switches_at_its_share():
    sampler = Deferred(0.75)
    for epoch in range(8):
        expected = ClassBalanced() if epoch >= 6 else Shuffle()
        assert torch.equal(draw(sampler, progress=epoch / 8), draw(expected))


@pytest.mark.parametrize("sampler", [Shuffle(), Weighted(), ClassBalanced(), Deferred(0.5)])
def test_ranks_share_what_one_process_would_see(monkeypatch, sampler):
    def loader():
        return BatchLoader({"i": torch.arange(405)}, 32, shuffle=True, seed=7, order=order)

    def order(epoch, generator):
        return sampler(LABELS, generator, epoch / 2)

    for epoch in (0, 1):
        shares = []
        for rank in range(2):
            monkeypatch.setattr("fulmen.data.batches.rank_and_world", lambda rank=rank: (rank, 2))
            each = loader()
            each.set_epoch(epoch)
            shares.append(torch.cat([batch["i"] for batch in each]))
        monkeypatch.setattr("fulmen.data.batches.rank_and_world", lambda: (0, 1))
        whole = loader()
        whole.set_epoch(epoch)
        indices = torch.cat([batch["i"] for batch in whole])
        assert torch.equal(torch.stack(shares, 1).flatten(), indices[:404])


def test_a_resumed_epoch_goes_on_with_the_next_batch():
    def loader():
        each = BatchLoader({"i": torch.arange(405)}, 32, shuffle=True, seed=7, order=order)
        each.set_epoch(3)
        return each

    def order(epoch, generator):
        return ClassBalanced()(LABELS, generator, 0.0)

    first, whole = loader(), torch.cat([batch["i"] for batch in loader()])
    batches = iter(first)
    head = [next(batches)["i"] for _ in range(5)]
    second = loader()
    second.load_state_dict(first.state_dict())
    second.set_epoch(3)
    assert torch.equal(torch.cat([*head, *(batch["i"] for batch in second)]), whole)


def test_impossible_settings_are_refused():
    with pytest.raises(FulmenError, match="power is -1"):
        Weighted(-1)
    with pytest.raises(FulmenError, match="share is 1"):
        Deferred(1.0)
