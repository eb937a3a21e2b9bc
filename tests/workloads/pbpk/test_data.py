import numpy as np
import pytest
import torch
from helpers import differing

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.data import PBPKData
from fulmen.workloads.pbpk.metrics import metrics
from fulmen.workloads.pbpk.simulator.physiology import ORGANS
from fulmen.workloads.pbpk.simulator.solvers import concentrations, simulate
from fulmen.workloads.pbpk.times import time_grid

SMALL = dict(compounds=12, validation_compounds=3, test_compounds=3, time_points=8)


def ready(**options):
    data = PBPKData(**SMALL | options)
    data.prepare_data()
    data.setup()
    return data


def test_no_compound_is_in_two_parts():
    data = ready(subjects_per_compound=4)
    compounds = {name: set(data.population.compound[part["subject"]].tolist()) for name, part in data.splits.items()}
    assert [len(compounds[name]) for name in ("train", "validation", "test")] == [6, 3, 3]
    assert not compounds["train"] & compounds["validation"]
    assert not compounds["train"] & compounds["test"]
    assert not compounds["validation"] & compounds["test"]
    assert sum(len(part["subject"]) for part in data.splits.values()) == 48


def test_folds_test_every_compound_once_and_share_the_population():
    folds = [ready(fold=k, folds=5, subjects_per_compound=2) for k in range(5)]
    compounds = [
        [
            set(data.population.compound[data.splits[name]["subject"]].tolist())
            for name in ("train", "validation", "test")
        ]
        for data in folds
    ]
    assert sorted(c for _, _, test in compounds for c in test) == list(range(12))
    assert [len(test) for _, _, test in compounds] == [3, 3, 2, 2, 2]
    for train, validation, test in compounds:
        assert len(validation) == 3
        assert len(train | validation | test) == 12 == len(train) + len(validation) + len(test)
    assert len({data.fingerprint for data in folds}) == 1


def test_default_split_is_800_100_100():
    data = PBPKData()
    assert (data.prior["compounds"], data.validation_compounds, data.test_compounds) == (1000, 100, 100)


def test_targets_are_the_solver_without_time_zero():
    data = ready()
    c = concentrations(data.population, simulate(data.population, data.grid_h))
    part = data.splits["test"]
    assert data.time_h[0] > 0
    torch.testing.assert_close(part["concentration"], c[part["subject"]][:, :, 1:].float())


def test_same_seed_same_data_another_seed_other_data():
    one, same, other = ready(), ready(), ready(seed=7)
    assert torch.equal(one.splits["train"]["concentration"], same.splits["train"]["concentration"])
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert not torch.equal(one.splits["train"]["node"], other.splits["train"]["node"])


def test_second_setup_reads_the_cache(monkeypatch):
    ready()
    monkeypatch.setattr(PBPKData, "_simulate", lambda self: pytest.fail("simulated again"))
    ready()


def test_exported_file_gives_the_same_parts(tmp_path):
    data = ready()
    path = data.export(tmp_path / "set.npz")
    again = ready(npz=str(path))
    for name, part in data.splits.items():
        assert differing(part, again.splits[name]) == []
    with np.load(path) as file:
        assert {"volume_l", "flow_l_per_h", "dose_mg", "time_h", "concentration_mg_per_l", "organ"} <= set(file)
        assert file["concentration_mg_per_l"].shape == (12, 14, 8)
        assert tuple(file["organ"]) == ORGANS


def test_a_file_from_before_ages_and_densities_is_read_as_adults_of_one_kg_per_litre(tmp_path):
    data = ready()
    with np.load(data.export(tmp_path / "set.npz")) as file:
        arrays = dict(file)
    unsaid = {"age_y", "sex", "density_kg_per_l", "gut_extraction"}
    assert unsaid <= set(arrays)
    np.savez(tmp_path / "old.npz", **{name: arrays[name] for name in set(arrays) - unsaid})
    again = ready(npz=str(tmp_path / "old.npz"))
    for name, part in data.splits.items():
        assert differing(part, again.splits[name]) == []
    assert differing(data.population.tensors(), again.population.tensors()) == []


def test_children_are_solved_and_come_back_from_a_file(tmp_path):
    data = ready(body={"age_y": 5, "sex": "female"})
    assert data.population.age_y.eq(5).all()
    again = ready(npz=str(data.export(tmp_path / "children.npz")))
    assert differing(data.population.tensors(), again.population.tensors()) == []


@pytest.mark.parametrize("population", ["real_chemistry", "wide"])
def test_named_populations_are_solved_and_come_back_from_a_file(tmp_path, population):
    data = ready(population=population)
    part = data.splits["train"]
    assert {name: value for name, value in part.items() if not value.isfinite().all()} == {}
    again = ready(npz=str(data.export(tmp_path / "set.npz")))
    assert differing(part, again.splits["train"]) == []


def nan(arrays):
    arrays["concentration_mg_per_l"][2, 3, 4] = np.nan


def negative(arrays):
    arrays["volume_l"][1, 5] = -1


def shape(arrays):
    arrays["kp"] = arrays["kp"][:, :13]


def times(arrays):
    arrays["time_h"] = arrays["time_h"][::-1]


def missing(arrays):
    del arrays["dose_mg"]


def order(arrays):
    arrays["organ"] = arrays["organ"][::-1]


def kind(arrays):
    arrays["weight_kg"] = arrays["weight_kg"].astype(str)


def scalar(arrays):
    arrays["time_h"] = arrays["time_h"][0]


def doses(arrays):
    arrays["n_doses"] = np.array(0)


def twice(arrays):
    for name, value in arrays.items():
        if name not in ("organ", "route_name", "time_h") and value.ndim:
            arrays[name][3] = value[2]
    arrays["compound"][3] = 3


def too_much(arrays):
    arrays["concentration_mg_per_l"] *= 1000


def heavier(arrays):
    arrays["volume_l"] *= 10


def solved_otherwise(arrays):
    arrays["kinetics"] = np.array("linear")


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (nan, r"concentration_mg_per_l\[2, 3, 4\] is nan"),
        (negative, r"volume_l of lung, subject 1: -1"),
        (shape, r"kp has shape \(12, 13\), expected \(12, 14\)"),
        (times, r"time_h must be finite, start at 0 or later and increase"),
        (missing, r"dose_mg is missing"),
        (order, r"flow_l_per_h .* of the cardiac output|flow_l_per_h .*, subject 0"),
        (kind, r"weight_kg holds <U\d+, expected numbers"),
        (scalar, r"time_h has shape \(\), expected \(1,\)"),
        (doses, r"n_doses is 0"),
        (twice, r"1 subjects repeat another one exactly \(first: 3\)"),
        (too_much, r"concentration_mg_per_l seems to be in ug/L \(ng/mL\) \(save concentration_mg_per_l / 1000\)"),
        (
            heavier,
            r"volume_l \(mass of the organs in kg\), subject 0: .* with density_kg_per_l \(1 kg/L where it is left",
        ),
        (solved_otherwise, r"solved with linear kinetics; set data\.kinetics=linear"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_bad_file_is_refused_by_name(tmp_path, harm, message):
    with np.load(ready().export(tmp_path / "good.npz")) as file:
        arrays = dict(file)
    harm(arrays)
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(FulmenError, match=rf"bad\.npz: .*{message}"):
        ready(npz=str(tmp_path / "bad.npz"))


@pytest.mark.parametrize("harm", ["truncate", "flip a byte"])
def test_damaged_file_is_refused(tmp_path, harm):
    path = ready().export(tmp_path / "bad.npz")
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle] ^= 0xFF
    path.write_bytes(content if harm == "flip a byte" else content[:middle])
    with pytest.raises(FulmenError, match=r"bad\.npz is (?:damaged or )?no \.npz"):
        ready(npz=str(path))


def test_linear_population_gets_a_linear_reduced_model():
    for kinetics in ("linear", "saturable"):
        part = ready(kinetics=kinetics, compounds=60, time_points=30).splits["train"]
        found = metrics(part["reduced"], part["concentration"], part["dose_mg"], part["weight_kg"])
        assert found["r2_log"] > 0.95, kinetics


def test_a_file_that_is_no_npz_is_refused(tmp_path):
    (tmp_path / "bad.npz").write_text("no")
    with pytest.raises(FulmenError, match=r"bad\.npz is (?:damaged or )?no \.npz"):
        ready(npz=str(tmp_path / "bad.npz"))
    with pytest.raises(FulmenError, match="there is no file"):
        ready(npz=str(tmp_path / "absent.npz"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(dose_mg=-5), "dose_mg is -5; it must be a finite number above 0"),
        (dict(dose_mg=[10, float("nan")]), "dose_mg"),
        (dict(routes=["iv"]), "unknown route 'iv'"),
        (dict(body={"weight_kg": 0}), "weight_kg is 0"),
        (dict(population="real_chemist"), "unknown population 'real_chemist'; did you mean 'real_chemistry'"),
        (dict(population="wide", body={"weight_kg": 70}), "body.weight_kg: 70; a male body of 1 years has 10 to 25 kg"),
        (dict(body={"age_y": 0.5}), "body.age_y is 0.5; the tables hold 1 to 80 years"),
        (dict(body={"sex": "femal"}), "body.sex: unknown sex 'femal'; did you mean 'female'"),
        (
            dict(body={"age_y": 5, "weight_kg": 60}),
            "body.weight_kg: 60; a male body of 5 years has 10 to 47.5 kg here; set body.age_y",
        ),
        (dict(body={"age_y": 40, "weight_kg": 33}), "a male body of 40 years has 36.5 to 150 kg here"),
        (
            dict(body={"age_y": 5}, organs={"liver": {"flow": 0.07}}),
            "take data.population=uniform_chemistry without body.age_y",
        ),
        (dict(organs={"livr": {"volume": 0.03}}), "unknown organ 'livr'; did you mean 'liver'"),
        (dict(organs={"liver": {"volume": -0.03}}), "organs.liver.volume is -0.03"),
        (dict(organs={"liver": {"flow": 0.5}}), "flow fractions sum to 1.435, not 1"),
        (dict(drug={"fraction_unbound": 1.5}), "fraction_unbound is 1.5"),
        (dict(kinetics="quadratic"), "unknown kinetics 'quadratic'"),
        (dict(hours=-1), "hours > 0"),
        (dict(time_points=1), "at least 2 time_points"),
        (dict(test_compounds=20), "each split"),
        (dict(batch_size=0), "batch_size is 0"),
        (dict(subjects_per_compound=0), "subjects_per_compound is 0"),
    ],
    ids=str,
)
def test_impossible_settings_are_refused_before_work(options, message):
    with pytest.raises(FulmenError, match=message):
        PBPKData(**SMALL | options)


def test_population_without_variety_is_refused():
    fixed = dict(dose_mg=100.0, routes=["bolus"], body={"weight_kg": 70.0, "cardiac_output_l_per_h": 350.0})
    data = ready(**fixed)
    twice = {name: value.repeat(2, *[1] * (value.ndim - 1)) for name, value in data.population.tensors().items()}
    repeated = type(data.population)(**twice)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fulmen.workloads.pbpk.data.sample_population", lambda **_: repeated)
        with pytest.raises(FulmenError, match="12 of 24 subjects repeat another"):
            PBPKData(**SMALL, **fixed, seed=1).prepare_data()


def test_graded_grid_is_dense_in_the_first_hour():
    grid = time_grid(24, 99, "graded")
    assert len(grid) == 99
    assert (grid.diff() > 0).all()
    assert int((grid <= 1).sum()) > 30
