"""Step 2: what was trained beside the reduced model of before is still given that one, and new runs the faster one."""

from pathlib import Path

import pytest
import torch
from helpers import differing, quiet_trainer

import fulmen
from fulmen.errors import FulmenError
from fulmen.migrations import migrate, newest
from fulmen.migrations.step_2_reduced_model import DATA, MODEL
from fulmen.registry.bundle import Bundle
from fulmen.registry.predictor import Predictor
from fulmen.registry.store import Store
from fulmen.workloads.pbpk.data import PBPKData
from fulmen.workloads.pbpk.graph import inputs
from fulmen.workloads.pbpk.module import PBPKSurrogate
from fulmen.workloads.pbpk.networks import MLP
from fulmen.workloads.pbpk.predict import input_schema, inputs_of
from fulmen.workloads.pbpk.simulator.sampling import sample_population

FROZEN = Path(__file__).parents[1] / "frozen" / "4332109"


def test_data_and_model_of_before_say_which_reduced_model_they_had_and_others_stay():
    before = {"data": {"_target_": DATA}, "model": {"_target_": MODEL, "network": {"_target_": "torch.nn.Linear"}}}
    after = migrate(before, "config.yaml")
    assert after["data"] == {"_target_": DATA, "reduced": "runge_kutta"}
    assert after["model"] == before["model"] | {"reduced": "runge_kutta", "trusted": False, "within_dose": False}
    assert migrate({"format": newest()} | before, "config.yaml") == before


def test_a_frozen_run_gives_its_network_the_inputs_that_it_was_kept_with():
    """To 1e-5, the digits that another processor leaves; the faster model is off by more."""
    run = fulmen.load_run(FROZEN / "runs" / "pbpk")
    kept, _ = Bundle(Store(FROZEN / "models").find("pbpk:1")).example
    asked = run.data.population[kept["subject"]]
    now = inputs(asked, kept["time_h"].double(), run.data.kinetics, run.model.reduced)
    other = inputs(asked, kept["time_h"].double(), run.data.kinetics)
    for name in ("dosing", "reduced"):
        torch.testing.assert_close(now[name], kept[name], rtol=1e-5, atol=1e-5)
        assert not torch.allclose(other[name], kept[name], rtol=1e-5, atol=1e-5)


def test_a_kept_model_of_before_reads_subjects_as_it_did():
    schema = Predictor(Store(FROZEN / "models").find("pbpk")).schema
    subjects = sample_population(6, seed=1)
    asked = inputs_of(subjects, schema).batch
    time_h = torch.tensor(schema["time_h"])
    before = inputs(subjects, time_h, "saturable", "runge_kutta", schema["reduced_step_h"])
    assert differing({name: asked[name] for name in before}, before) == []


@pytest.mark.parametrize("reduced", ["exponential", "runge_kutta"])
def test_a_model_kept_today_reads_subjects_as_its_training_did(reduced):
    data = PBPKData(compounds=12, validation_compounds=3, test_compounds=3, time_points=8, reduced=reduced)
    data.prepare_data()
    data.setup()
    test = data.splits["test"]
    asked = inputs_of(data.population[test["subject"]], input_schema(data)).batch
    for name in ("node", "dosing", "reduced"):
        torch.testing.assert_close(asked[name], test[name], rtol=1e-6, atol=1e-7)


def test_a_network_beside_another_reduced_model_than_its_data_is_refused():
    model = PBPKSurrogate(MLP(times=7), reduced="runge_kutta")
    data = PBPKData(compounds=12, validation_compounds=3, test_compounds=3, time_points=8)
    with pytest.raises(FulmenError, match=r"data.reduced is exponential and model.reduced runge_kutta.*=exponential"):
        quiet_trainer(max_epochs=1).fit(model, data)
