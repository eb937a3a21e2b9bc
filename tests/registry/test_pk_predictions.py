"""`fulmen predict --table pk` and `--fallback solver`, beside the curves and the solver that they rest on."""

import dataclasses
import io

import numpy as np
import pandas as pd
import pytest
import torch

import fulmen
from fulmen.cli import main
from fulmen.config.check import check_overrides
from fulmen.config.schema import project_root
from fulmen.errors import FulmenError
from fulmen.registry import predict, save_run
from fulmen.runs.run import run
from fulmen.workloads.pbpk.graph import inputs
from fulmen.workloads.pbpk.npz import population_from
from fulmen.workloads.pbpk.pk_table import PLACES, UNITS, pharmacokinetics
from fulmen.workloads.pbpk.simulator.physiology import ORGANS
from fulmen.workloads.pbpk.simulator.sampling import sample_population
from fulmen.workloads.pbpk.simulator.solvers import concentrations, simulate

QUIET = ["callbacks.progress=null", "callbacks.summary=null", "logger.tensorboard=null", "callbacks.diagnosis=null"]
TYPED = ["experiment=pbpk_pod", "data.compounds=80", "data.validation_compounds=16", "data.test_compounds=4",
         "data.time_points=25", "model.network.times=24", "model.network.modes=6", "model.network.hidden=16",
         "model.figures=false", "trainer.max_epochs=2"]  # fmt: skip
FROZEN = project_root() / "tests" / "frozen" / "4332109" / "models"
FAR = 2  # the subject who is unlike those of the training

pytestmark = pytest.mark.filterwarnings("ignore:.*the range in training", "ignore:.*unlike those of the training",
                                        "ignore:.*not used")  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a run, its model in a registry, and four subjects of whom one is far away."""
    folder = tmp_path_factory.mktemp("pk")
    typed = [*TYPED, *QUIET, f"output_dir={folder / 'run'}"]
    run(check_overrides(typed), typed)
    save_run(folder / "run", "pod", registry=folder / "models")
    fulmen.load_run(folder / "run").data.export(folder / "all.npz")
    with np.load(folder / "all.npz") as file:
        arrays = {name: array[:4] if array.ndim and len(array) == 80 else array for name, array in file.items()}
    del arrays["time_h"], arrays["concentration_mg_per_l"]
    arrays["dose_mg"] = arrays["dose_mg"] * np.where(np.arange(4) == FAR, 1e5, 1.0)
    arrays["clint_l_per_h"] = arrays["clint_l_per_h"] * np.where(np.arange(4) == FAR, 1e4, 1.0)
    np.savez(folder / "four.npz", **arrays)
    return folder


@pytest.fixture
def subjects(place):
    with np.load(place / "four.npz") as file:
        return dict(file)


@pytest.fixture
def said(place, capsys):
    def typed(*words):
        code = main(["predict", "pod", *map(str, words), "--registry", str(place / "models")])
        printed = capsys.readouterr()
        return printed.out, printed.err, code

    return typed


def curves_of(table):
    """Concentrations [S, 14, A] and times [A] of a table of concentrations."""
    times = table.time_h.unique()
    return torch.tensor(table.concentration_mg_per_l.to_numpy().reshape(-1, 14, len(times))), torch.tensor(times)


def test_pharmacokinetics_are_those_of_the_predicted_curves(place, said, subjects):
    out, _, code = said(place / "four.npz", "--table", "pk")
    assert code == 0
    table = pd.read_csv(io.StringIO(out))
    assert table.organ.tolist() == 4 * list(PLACES)
    curves = curves_of(predict("pod", place / "four.npz", place / "models"))
    expected = pharmacokinetics(population_from(subjects), *curves)
    for name in UNITS:
        np.testing.assert_allclose(table[name], expected[name].flatten(), rtol=1e-5, atol=1e-9, err_msg=name)
    oral = np.repeat(subjects["route"] == 2, 15)
    told = table.clearance_l_per_h.notna()
    assert (table.clearance_is[told] == np.where(oral, "CL/F", "CL")[told]).all()
    assert table.clearance_is[~told].isna().all()
    assert table.in_domain.tolist() == np.repeat(np.arange(4) != FAR, 15).tolist()


def test_strangers_are_solved_and_nobody_else(place, said, subjects):
    out, err, code = said(place / "four.npz", "--fallback", "solver")
    assert code == 0
    assert "\n1 of 4 subjects was solved, since it is unlike those of the training\n" in err
    table, alone = pd.read_csv(io.StringIO(out)), predict("pod", place / "four.npz", place / "models")
    far = (table.subject == FAR).to_numpy()
    assert table.by.tolist() == np.where(far, "solver", "surrogate").tolist()
    assert not table.in_domain[far].any()
    numbers = ["concentration_mg_per_l", "low_90_mg_per_l", "high_90_mg_per_l"]
    np.testing.assert_allclose(table.loc[~far, numbers], alone.loc[~far, numbers], rtol=1e-6)
    (person,) = [population_from(subjects)[FAR]]
    time_h = torch.cat([torch.zeros(1), curves_of(table)[1]]).double()
    exact = concentrations(person, simulate(person, time_h, solver="fastest"))[..., 1:].flatten()
    for name in numbers:
        np.testing.assert_allclose(table.loc[far, name], exact, rtol=1e-4, atol=1e-6 * exact.max().item())


def test_what_was_solved_is_solved_at_the_times_that_were_asked(place, subjects, tmp_path):
    time_h = torch.tensor([0.1, 1.3, 4.0, 23.9]).double()
    later = time_h[time_h >= 1.0]
    np.savez(tmp_path / "x.npz", **subjects, time_h=np.r_[0.0, later])
    table = predict("pod", tmp_path / "x.npz", place / "models", fallback="solver")
    person = population_from(subjects)[FAR]
    exact = concentrations(person, simulate(person, torch.cat([torch.zeros(1), later]), solver="fastest"))
    found = table.concentration_mg_per_l[table.subject == FAR].to_numpy()
    np.testing.assert_allclose(found, exact[..., 1:].flatten(), rtol=1e-3, atol=1e-5 * exact.max().item())
    pk = predict("pod", tmp_path / "x.npz", place / "models", table="pk", fallback="solver")
    assert pk.by.tolist() == np.repeat(np.where(np.arange(4) == FAR, "solver", "surrogate"), 15).tolist()


def test_a_run_answers_as_its_kept_model_does(place):
    own = fulmen.load_run(place / "run")
    for wanted in ({"table": "pk"}, {"fallback": "solver"}, {"table": "concentrations"}):
        kept = predict("pod", place / "four.npz", place / "models", **wanted)
        pd.testing.assert_frame_equal(own.predict(place / "four.npz", **wanted), kept, rtol=1e-5)
    (example,) = own.example_records()
    assert len(own.predict([example], table="pk")) == len(ORGANS) + 1


def test_words_get_tables_and_fallbacks_too(said):
    out, err, code = said("--set", "dose_mg=1e9", "clint_l_per_h=1e7", "--table", "pk", "--fallback", "solver")
    assert code == 0
    assert pd.read_csv(io.StringIO(out)).by.tolist() == ["solver"] * 15
    assert "1 of 1 subjects was solved" in err
    _, err, _ = said("--set", "dose_mg=100", "--fallback", "solver")
    assert "0 of 1 subjects were solved: all are known" in err


MISTAKES = {
    "this model has no table 'pkk'; it has concentrations and pk": ["x.npz", "--table", "pkk"],
    "this model has no fallback 'oracle'; it has solver": ["x.npz", "--fallback", "oracle"],
    "pod:1: this model has no table 'auc'": ["--set", "dose_mg=1", "--table", "auc"],
    "--example predicts nothing: leave them out": ["--example", "y.npz", "--table", "pk"],
}


@pytest.mark.parametrize("message", MISTAKES)
def test_what_there_is_is_told_in_one_line(said, place, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.npz").write_bytes((place / "four.npz").read_bytes())
    out, err, code = said(*MISTAKES[message])
    assert (out, code) == ("", 2)
    assert err.count("\n") == 1
    assert message in err


@pytest.mark.parametrize(
    ("model", "wanted", "message"),
    [
        ("stocks", {"table": "pk"}, "stocks:1: this model has no table 'pk'; it has predictions"),
        ("sensors", {"fallback": "solver"}, "sensors:1: this model has no fallback 'solver'; it has nothing to fall"),
        ("pbpk", {"fallback": "solver"}, "fallback solver: the model has no domain, so nothing says which subjects"),
    ],
)
def test_models_that_cannot_do_it_say_so(place, model, wanted, message):
    with pytest.raises(FulmenError, match=message):
        predict(model, place / "four.npz", FROZEN, **wanted)


def test_a_model_of_before_the_domain_has_its_pharmacokinetics_too(place, tmp_path, subjects):
    (tmp_path / "x.npz").write_bytes((place / "four.npz").read_bytes())
    table = predict("pbpk", tmp_path / "x.npz", FROZEN, table="pk")
    assert "in_domain" not in table
    assert np.isfinite(table.auc_last_mg_h_per_l).all()


def test_the_domain_is_known_in_python_too(place, subjects):
    own = fulmen.load_run(place / "run")
    people, grid_h = population_from(subjects), own.data.time_h
    assert own.model.in_domain(people, grid_h).tolist() == [number != FAR for number in range(4)]
    everybody = own.data.population
    table = own.predict(place / "all.npz")
    told = table.in_domain.to_numpy().reshape(len(everybody), -1)[:, 0]
    assert own.model.in_domain(everybody, grid_h).tolist() == told.tolist()
    kept = fulmen.load_model("pod", place / "models")
    assert kept.in_domain(people, grid_h).tolist() == own.model.in_domain(people, grid_h).tolist()
    with pytest.raises(FulmenError, match="in_domain: the model has no domain"):
        fulmen.load_model("pbpk", FROZEN).in_domain(people, grid_h)


BAD_QUESTIONS = {
    r"dose_mg, subject 1: -3; it must be finite, above 0": {"dose_mg": torch.tensor([1.0, -3.0, 1.0, 1.0])},
    r"fraction_unbound, subject 0: 30; it must be in \(0, 1\]": {"fraction_unbound": torch.full((4,), 30.0)},
    r"kp has shape \[4, 13\], expected \[4, 14\]": {"kp": torch.ones(4, 13)},
    r"n_doses is 0": {"n_doses": 0},
}


@pytest.mark.parametrize("message", BAD_QUESTIONS)
def test_subjects_of_ones_own_are_checked(place, subjects, message):
    own = fulmen.load_run(place / "run")
    people = dataclasses.replace(population_from(subjects), **BAD_QUESTIONS[message])
    for ask in (own.model.predict_population, own.model.in_domain):
        with pytest.raises(FulmenError, match=message):
            ask(people, own.data.time_h)


@pytest.mark.parametrize(
    ("time_h", "message"),
    [
        ([1.0, 48.0], r"time_h\[1\] is 48 h; the model was trained from 1 to 24 h"),
        ([2.0, 1.0], r"time_h\[1\] is 1 h, after 2 h"),
        ([1.0, float("nan")], r"time_h\[1\] is no finite number"),
        ([-1.0, 2.0], r"time_h\[0\] is -1 h"),
    ],
)
def test_times_of_ones_own_are_checked_with_and_without_a_grid(place, subjects, time_h, message):
    own = fulmen.load_run(place / "run")
    people, time_h = population_from(subjects), torch.tensor(time_h).double()
    for grid_h in (None, own.data.time_h):
        with pytest.raises(FulmenError, match=message):
            own.model.predict_population(people, time_h, grid_h=grid_h)


@pytest.mark.slow
def test_an_exported_program_predicts_subjects_of_ones_own(place, tmp_path, capsys):
    """The program takes what `graph.inputs` makes of subjects, any number of them."""
    to = tmp_path / "pod.pt2"
    assert main(["models", "export", "pod", "--to", str(to), "--registry", str(place / "models")]) == 0
    assert "it reproduces the kept predictions" in capsys.readouterr().out
    program = torch.export.load(to).module()
    model, grid_h = fulmen.load_model("pod", place / "models"), fulmen.load_run(place / "run").data.time_h
    for number in (1, 3, 40):
        people = sample_population(number, seed=9)
        batch = inputs(people, grid_h) | {"subject": torch.arange(number), "time_h": grid_h.float()}
        with torch.no_grad():
            said = program(batch)
        expected = model.predict_population(people, grid_h)
        torch.testing.assert_close(said["concentration_mg_per_l"], expected, rtol=1e-5, atol=1e-6)
        assert (said["low_90_mg_per_l"] <= expected).all()
        assert (expected <= said["high_90_mg_per_l"]).all()
        assert said["in_domain"].tolist() == model.in_domain(people, grid_h).tolist()
