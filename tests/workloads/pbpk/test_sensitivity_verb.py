"""`fulmen pbpk sensitivities` writes the elasticities of subjects in a file, and draws the largest."""

import re

import pandas
import pytest
import torch

from fulmen.cli import main
from fulmen.config.check import check_overrides
from fulmen.errors import FulmenError
from fulmen.workload import Trained
from fulmen.workloads.pbpk.data import PBPKData
from fulmen.workloads.pbpk.graph import inputs
from fulmen.workloads.pbpk.module import PBPKSurrogate
from fulmen.workloads.pbpk.networks import MLP
from fulmen.workloads.pbpk.npz import population_from
from fulmen.workloads.pbpk.npz_reading import read_subjects
from fulmen.workloads.pbpk.predict import input_schema
from fulmen.workloads.pbpk.sensitivity import INPUTS, sensitivities
from fulmen.workloads.pbpk.sensitivity_verb import write_sensitivities
from fulmen.workloads.pbpk.simulate.hours import usual_times
from fulmen.workloads.pbpk.simulator.solvers import concentrations, simulate
from fulmen.workloads.pbpk.tornado import SHOWN, spoken_input

LINEAR = ["data.kinetics=linear", "data.compounds=12", "data.validation_compounds=2", "data.test_compounds=2",
          "data.time_points=8"]  # fmt: skip


@pytest.fixture(scope="module")
def subjects(tmp_path_factory):
    path = tmp_path_factory.mktemp("subjects") / "subjects.npz"
    assert main(["pbpk", "export", str(path), *LINEAR]) == 0
    return path


@pytest.fixture(scope="module")
def trained():
    data = PBPKData(kinetics="linear", compounds=30, validation_compounds=5, test_compounds=5, time_points=8)
    data.setup()
    torch.manual_seed(0)
    model = PBPKSurrogate(MLP(times=7), trusted=False)
    model.network.fit(inputs(data.population, data.time_h, "linear"), torch.zeros(1))
    return Trained(model, input_schema(data), "small")


def test_the_table_holds_what_the_solver_says_of_each_subject(subjects, tmp_path, capsys):
    to = tmp_path / "out.csv"
    typed = ["pbpk", "sensitivities", str(subjects), "--to", str(to), "--of", "cmax,auc", "--organs", "liver,plasma"]
    assert main(typed) == 0
    assert capsys.readouterr().out == f"written: {to}\nwritten: {tmp_path / 'out.svg'}\n"
    table = pandas.read_csv(to)
    assert len(table) == 12 * 2 * 2 * len(INPUTS)
    people = population_from(read_subjects(subjects, "linear"))
    time_h = usual_times(people)
    found = sensitivities(
        people, lambda p: concentrations(p, simulate(p, time_h, "linear")), time_h, ["auc"], ["plasma"]
    )
    rows = table[(table["exposure"] == "auc") & (table["organ"] == "plasma") & (table["input"] == "clint_l_per_h")]
    assert rows["subject"].tolist() == list(range(12))
    assert rows["elasticity"].tolist() == pytest.approx(
        found.elasticity[:, 0, 0, INPUTS.index("clint_l_per_h")].tolist(), rel=1e-5
    )
    assert rows["value"].tolist() == pytest.approx(found.value[:, 0, 0].tolist(), rel=1e-5)
    assert set(table["by"]) == {"solver"}


def test_a_model_stands_beside_the_solver_and_the_figure_shows_the_ten_largest(subjects, trained, tmp_path):
    to = tmp_path / "out.csv"
    words = [str(subjects), "--to", str(to), "--model", "small", "--of", "auc"]
    write_sensitivities(check_overrides(["experiment=pbpk_mlp"]), words, load=lambda name: trained)
    table = pandas.read_csv(to)
    assert set(table["by"]) == {"solver", "surrogate"}
    exact = table[(table["input"] == "dose_mg") & (table["by"] == "solver")]
    assert exact["elasticity"].tolist() == pytest.approx([1.0] * 12)
    drawn = re.findall(r">([^<>]+)</text>", (tmp_path / "out.svg").read_text())
    size = table.groupby(["by", "input"])["elasticity"].median().abs().groupby("input").max()
    named = {spoken_input(name): value for name, value in size.items()}
    shown = [named[name] for name in drawn if name in named]  # some are equal
    assert shown == pytest.approx(sorted(named.values(), reverse=True)[:SHOWN], abs=1e-5)
    assert {"solver", "surrogate", "AUC, plasma"} <= set(drawn)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "the following arguments are required"),
        (["{}", "--to", "x.csv", "--by", "both"], "--by both needs a surrogate"),
        (["{}", "--to", "x.txt"], "it has to be another file, a .csv"),
        (["{}", "--to", "x.csv", "--of", "aucc"], "did you mean 'auc'"),
        (["{}", "--to", "x.csv", "--organs", "lver"], "did you mean 'liver'"),
        (["none.npz", "--to", "x.csv"], "there is no file none.npz"),
    ],
)
def test_a_mistake_is_told_in_one_line(subjects, words, said):
    typed = [word.format(subjects) for word in words]
    with pytest.raises(FulmenError, match=re.escape(said)):
        write_sensitivities(check_overrides(["experiment=pbpk_mlp"]), typed, load=lambda name: None)


def test_settings_of_a_training_are_told(subjects):
    with pytest.raises(FulmenError, match=r"data\.hours: sensitivities takes no settings"):
        write_sensitivities(
            check_overrides(["experiment=pbpk_mlp", "data.hours=48"]), [str(subjects), "--to", "x.csv"], None
        )


CSV = """\
subject,compound,log_p,fraction_unbound,hepatic_clearance_l_per_h,km_mg_per_l,route,dose_mg,n_doses,interval_h
many,a,1,0.5,5,,bolus,100,3,8
slow,b,2,0.5,5,0.5,oral,100,,
fast,c,2,0.5,20,,bolus,100,,
"""


def test_rows_of_a_csv_stand_in_its_order_whatever_their_regimens(tmp_path):
    people, to = tmp_path / "people.csv", tmp_path / "out.csv"
    people.write_text(CSV)
    assert main(["pbpk", "sensitivities", str(people), "--to", str(to), "--of", "auc"]) == 0
    found = pandas.read_csv(to).set_index(["subject", "input"])["elasticity"]
    assert found.index.unique(0).tolist() == ["many", "slow", "fast"]
    assert found["many", "dose_mg"] == pytest.approx(1)
    assert found["fast", "km_mg_per_l"] == 0
    assert found["slow", "dose_mg"] > 1.01


def test_a_model_of_linear_kinetics_refuses_a_drug_with_a_km(tmp_path, trained):
    people = tmp_path / "people.csv"
    people.write_text(CSV)
    words = [str(people), "--to", str(tmp_path / "out.csv"), "--model", "small"]
    with pytest.raises(FulmenError, match="subject slow has a Km, and small knows linear kinetics alone"):
        write_sensitivities(check_overrides(["experiment=pbpk_mlp"]), words, load=lambda name: trained)


def test_a_model_without_gradients_is_told(subjects, trained, tmp_path):
    old = PBPKSurrogate(MLP(times=7), reduced="runge_kutta", trusted=False)
    words = [str(subjects), "--to", str(tmp_path / "out.csv"), "--model", "old"]
    with pytest.raises(FulmenError, match="old learned beside reduced=runge_kutta, which has no gradients"):
        write_sensitivities(
            check_overrides(["experiment=pbpk_mlp"]), words, load=lambda name: Trained(old, trained.schema, "old")
        )
