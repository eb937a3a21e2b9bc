"""The published data set is drawn and solved as published, and any network of this workload trains on it."""

import time

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from fulmen.config.check import build, check_overrides
from fulmen.config.schema import choices
from fulmen.workloads.pbpk.data import PBPKData
from fulmen.workloads.pbpk.evaluate import summarize
from fulmen.workloads.pbpk.published import Drugs, PublishedData, described, drawn, solved
from fulmen.workloads.pbpk.simulator.physiology import ORGANS
from fulmen.workloads.pbpk.simulator.population import hepatic_clearance_l_per_h, renal_clearance_l_per_h, validate

FLOW_L_PER_H = [0, 90, 60, 50, 20, 300, 75, 12, 45, 10, 5, 15, 5, 20]
VOLUME_L = [5, 1.8, 0.31, 1.4, 0.33, 0.5, 30, 15, 1.1, 3.3, 10, 0.18, 0.1, 5]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    made = PublishedData(
        compounds=60, validation_compounds=10, test_compounds=20, cache=str(tmp_path_factory.mktemp("cache"))
    )
    made.setup()
    return made


def by_lsoda(drugs, sample, time_h):
    """The equations as they are written, one organ after the other: [14, T]."""
    kp = drugs.kp[sample].tolist()
    clearance = float(drugs.hepatic_l_per_h[sample] + drugs.renal_l_per_h[sample])

    def slope(_, c):
        change = np.zeros(14)
        for organ in range(1, 14):
            passed = FLOW_L_PER_H[organ] * (c[0] - c[organ] / kp[organ])
            change[organ] = passed / VOLUME_L[organ]
            change[0] -= passed / VOLUME_L[0]
        change[0] -= clearance / VOLUME_L[0] * c[0]
        return change

    start = np.zeros(14)
    start[0] = float(drugs.dose_mg[sample]) / 5
    return solve_ivp(slope, (0, 24), start, "LSODA", t_eval=time_h.numpy(), rtol=1e-11, atol=1e-13).y


def by_drugs(people, time_h):
    hepatic, renal = hepatic_clearance_l_per_h(people), renal_clearance_l_per_h(people)
    return solved(Drugs(hepatic, renal, people.kp, people.dose_mg), time_h)


def test_curves_are_those_of_an_ode_solver():
    drugs, time_h = drawn(8), torch.linspace(0, 24, 100, dtype=torch.float64)
    curves = solved(drugs, time_h)
    for sample in range(8):
        peak = float(drugs.dose_mg[sample]) / 5
        assert np.abs(curves[sample].numpy() - by_lsoda(drugs, sample, time_h)).max() < 1e-9 * peak


def test_clearances_are_those_that_were_found_in_the_published_set():
    drugs = drawn(1000)
    assert float(drugs.hepatic_l_per_h.median()) == pytest.approx(7.3, abs=0.05)
    assert float(drugs.hepatic_l_per_h.quantile(0.95)) == pytest.approx(38, abs=0.5)
    assert float(drugs.hepatic_l_per_h.max()) == pytest.approx(175, abs=0.5)
    assert 10 <= float(drugs.dose_mg.min()) < 12 < 995 < float(drugs.dose_mg.max()) <= 1000
    later = drawn(2, seed=43)
    assert torch.equal(later.kp, drugs.kp[1:3])  # each sample has a generator of its own


def test_the_whole_set_is_drawn_and_solved_in_less_than_a_second():
    begun = time.process_time()
    solved(drawn(1000), torch.linspace(0, 24, 100, dtype=torch.float64))
    assert time.process_time() - begun < 1.0


def test_batches_are_those_of_the_other_data_and_the_splits_are_apart(data, tmp_path):
    other = PBPKData("linear", 30, 1, 5, 5, cache=str(tmp_path))
    other.setup()
    ours, theirs = data.splits["train"], other.splits["train"]
    assert {k: (v.dtype, v.shape[1:]) for k, v in ours.items()} == {
        k: (v.dtype, v.shape[1:]) for k, v in theirs.items()
    }
    assert torch.equal(data.time_h, other.time_h)  # t = 0 is left out
    subjects = [data.splits[name]["subject"] for name in ("train", "validation", "test")]
    assert [len(each) for each in subjects] == [30, 10, 20]
    assert len(torch.cat(subjects).unique()) == 60
    validate(data.population)


def test_a_seed_draws_the_split_and_leaves_the_samples(data):
    again = PublishedData(compounds=60, validation_compounds=10, test_compounds=20, seed=7, cache=data.cache)
    again.setup()
    assert again.fingerprint == data.fingerprint
    assert torch.equal(again.population.kp, data.population.kp)
    assert not torch.equal(again.splits["test"]["subject"], data.splits["test"]["subject"])


@pytest.mark.parametrize("network", choices("network/pbpk"))
def test_every_network_predicts_it_and_a_kept_one_says_the_same_of_the_samples(network, data):
    torch.manual_seed(0)
    cfg = check_overrides(["experiment=pbpk_published", f"network=pbpk/{network}"])
    model = build(cfg.model, "model")
    model.network.fit(data.splits["train"], torch.randn(30, 14, 99))
    with torch.no_grad():
        split = model.eval().concentration(data.splits["test"] | {"time_h": data.time_h})
    people = data.population[data.splits["test"]["subject"]]
    again = model.predict_population(people, data.time_h, "linear")
    torch.testing.assert_close(again, split, rtol=1e-4, atol=1e-6)


def test_the_report_counts_t_0_beside_what_costs_nothing(data):
    true = data.splits["test"]["concentration"]
    summary = summarize({"concentration_mg_per_l": true}, data, None, lambda people: by_drugs(people, data.time_h))
    assert set(summary.baselines) == {"mean curve", "5 nearest", "one compartment"}
    assert not [row for row in summary.tables["Laws"] if row["law"].startswith(("balance", "AUC CL"))]
    assert "balance_error_percent" not in summary.metrics
    (rows,) = [rows for title, rows in summary.tables.items() if title.startswith("With t = 0")]
    scores = {row[""]: row for row in rows}
    assert scores["network"]["R² with t = 0"] == pytest.approx(1)
    free = scores["one number"]
    assert free["R² without"] == pytest.approx(0, abs=0.1)
    assert 0.3 < free["R² with t = 0"] < 0.7  # the start alone
    whole = torch.zeros(*true.shape[:2], 100).double()
    whole[:, :, 1:], whole[:, 0, 0] = true, data.splits["test"]["dose_mg"].double() / 5
    told = whole.clone()
    told[:, :, 1:] = data.splits["train"]["concentration"].double().mean()
    share = 1 - (told - whole).square().sum() / (whole - whole.mean()).square().sum()
    assert free["R² with t = 0"] == pytest.approx(float(share))
    assert any("0.9342" in note and "t = 0" in note for note in summary.notes)


def test_a_description_clears_what_the_equations_clear(data):
    drugs, time_h = drawn(1000), torch.linspace(0, 24, 100, dtype=torch.float64)
    people = described(drugs)
    torch.testing.assert_close(by_drugs(people, time_h), solved(drugs, time_h))


def test_an_export_can_be_read_as_any_other(data, tmp_path):
    read = PBPKData(
        "linear", npz=str(data.export(tmp_path / "published.npz")), validation_compounds=10, test_compounds=20,
        cache=str(tmp_path),
    )  # fmt: skip
    read.setup()
    torch.testing.assert_close(read.population.kp, data.population.kp)
    assert set(read.splits["train"]["subject"].tolist()) == set(data.splits["train"]["subject"].tolist())


def test_organs_are_in_the_order_of_the_published_table():
    people = described(drawn(1))
    named = dict(zip(ORGANS, people.volume_l[0].tolist(), strict=True))
    assert (named["muscle"], named["pancreas"], float(people.weight_kg)) == (30.0, 0.1, pytest.approx(74.02))
