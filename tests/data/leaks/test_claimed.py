"""A split by groups that tears one apart is found, and so are curves of one split that are those of another."""

import numpy as np
import torch

from fulmen.data.leaks.claimed import claimed
from fulmen.data.leaks.samples import Samples
from fulmen.workloads.pbpk.npz import drugs_of
from fulmen.workloads.pbpk.simulator.sampling import sample_population

SPLIT = np.repeat([0, 1, 2], [70, 15, 15])


def samples(seed=0, group=None):
    """Curves of two exponentials in three organs [100, 3, 20]."""
    rng = np.random.default_rng(seed)
    time, rate = np.linspace(0.5, 24, 20), np.exp(rng.normal(-1.5, 0.8, (100, 3, 2, 1)))
    curves = np.exp(-rate[:, :, 0] * time) + np.exp(rng.normal(size=(100, 3, 1))) * np.exp(-rate[:, :, 1] * time)
    return Samples(
        np.log(curves.sum((1, 2))), "numbers", SPLIT, group=np.arange(100) if group is None else group,
        splitting="group", sample="subject", outcome=curves, outcome_time=time,
    )  # fmt: skip


def test_curves_that_differ_and_groups_in_one_split_each_are_honest():
    assert claimed(samples()) == []


def test_curves_that_are_others_by_a_factor_are_found_and_named():
    leaky = samples(1)
    leaky.outcome[90:94] = 3 * leaky.outcome[10:14] * (1 + 1e-3 * np.random.default_rng(2).normal(size=(4, 3, 20)))
    (leak,) = claimed(leaky)
    assert (leak.code, leak.severity, leak.evidence["count"]) == ("near_copies", "error", 4)
    assert sorted(leak.evidence["pairs"]) == [[10 + i, 90 + i] for i in range(4)]


def test_a_group_in_two_splits_is_found():
    group = np.arange(100)
    group[90:93] = [3, 3, 4]
    (leak,) = claimed(samples(group=group))
    assert (leak.code, leak.evidence["count"], leak.evidence["groups"]) == ("group_in_several_splits", 3, 2)


def test_a_drug_is_known_by_its_properties_whatever_its_number():
    people = sample_population(compounds=30, subjects_per_compound=2, seed=1)
    assert len(np.unique(drugs_of(people))) == 30
    people.compound[:] = torch.arange(60)
    drug = drugs_of(people)
    assert len(np.unique(drug)) == 30
    assert (drug[0::2] == drug[1::2]).all() or (drug[:30] == drug[30:]).all()
