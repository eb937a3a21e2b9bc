import pytest
import torch

from fulmen.data.batches import BatchLoader


def loader(n=23, batch_size=5, **options):
    return BatchLoader({"x": torch.arange(n), "y": torch.arange(n) * 2.0}, batch_size, **options)


def indices(batches):
    return torch.cat([batch["x"] for batch in batches]).tolist()


def test_an_epoch_deals_every_sample_once():
    shuffled, ordered = loader(shuffle=True), loader()
    assert sorted(indices(shuffled)) == list(range(23)) == indices(ordered)
    assert len(list(shuffled)) == len(shuffled) == 5


def test_fields_stay_together():
    for batch in loader(shuffle=True):
        assert batch["y"].tolist() == (batch["x"] * 2.0).tolist()


def test_order_depends_on_seed_and_epoch_alone():
    orders = {}
    for seed in (0, 1):
        for epoch in (0, 1):
            one, other = loader(shuffle=True, seed=seed), loader(shuffle=True, seed=seed)
            other.set_epoch(5)
            list(other)
            for each in (one, other):
                each.set_epoch(epoch)
            orders[seed, epoch] = tuple(indices(one))
            assert tuple(indices(other)) == orders[seed, epoch]
    assert len(set(orders.values())) == 4


@pytest.mark.parametrize("dealt", [0, 1, 3, 4])
def test_a_resumed_epoch_goes_on_with_the_next_batch(dealt):
    first = loader(shuffle=True)
    first.set_epoch(2)
    batches = iter(first)
    head = [next(batches) for _ in range(dealt)]
    second = loader(shuffle=True)
    second.load_state_dict(first.state_dict())
    second.set_epoch(2)
    whole = loader(shuffle=True)
    whole.set_epoch(2)
    assert indices([*head, *second]) == indices(whole)
    second.set_epoch(3)
    assert len(list(second)) == 5  # only the resumed epoch is short


def test_a_finished_epoch_resumes_at_the_next_ones_start():
    first = loader(shuffle=True)
    list(first)
    assert first.state_dict() == {"dealt": 0, "start": 0, "samples": 0, "world": 1}


RANKS = [(1, 2), (2, 1), (2, 2), (1, 3), (3, 2)]  # before and after; extended by a line


@pytest.mark.parametrize(("before", "after"), RANKS)
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("dealt", [1, 2])
def test_an_epoch_goes_on_with_another_number_of_ranks(monkeypatch, before, after, shuffle, dealt):
    """Each sample once: none skipped, none repeated, but the rest that no rank may have alone."""

    def as_rank(rank, world):
        monkeypatch.setattr("fulmen.data.batches.rank_and_world", lambda: (rank, world))
        each = loader(24, batch_size=3, shuffle=shuffle)
        each.set_epoch(1)
        return each

    seen, state = [], {}
    for rank in reversed(range(before)):  # the first rank's state is the one that is kept
        each = as_rank(rank, before)
        batches = iter(each)
        seen += indices([next(batches) for _ in range(dealt)])
        state = each.state_dict()
    for rank in range(after):
        each = as_rank(rank, after)
        each.load_state_dict(state)
        each.set_epoch(1)
        left = each.remaining
        rest = list(each)
        assert len(rest) == left
        seen += indices(rest)
    assert len(seen) == len(set(seen)) >= 24 - (after - 1)


@pytest.mark.parametrize(("n", "world"), [(23, 2), (24, 3), (10, 4)])
def test_ranks_share_an_epoch_without_overlap(monkeypatch, n, world):
    for shuffle in (True, False):
        dealt, lengths = [], set()
        for rank in range(world):
            monkeypatch.setattr("fulmen.data.batches.rank_and_world", lambda rank=rank: (rank, world))
            each = loader(n, batch_size=3, shuffle=shuffle)
            dealt += indices(each)
            lengths.add((len(each), len(list(each))))
        assert len(dealt) == len(set(dealt))
        assert len(dealt) == (n // world * world if shuffle else n)
        assert len(lengths) == 1  # all ranks step equally often


def test_arrays_of_different_length_are_refused():
    with pytest.raises(ValueError, match="differ in length"):
        BatchLoader({"x": torch.zeros(3), "y": torch.zeros(4)}, 2)
