"""Subjects as records: labels may be left out, names stand for numbers, organs follow the weight by their density."""

import re

import jsonschema
import pytest
import torch

from fulmen.config.schema import project_root
from fulmen.errors import FulmenError
from fulmen.registry.json_schema import request_schema
from fulmen.registry.predictor import Predictor
from fulmen.registry.store import Store
from fulmen.workloads.pbpk.data import PBPKData
from fulmen.workloads.pbpk.predict import input_schema, inputs_of
from fulmen.workloads.pbpk.records import example_records, population_of, whole_subject
from fulmen.workloads.pbpk.simulator.sampling import sample_population

LABELS = ("age_y", "sex", "density_kg_per_l")


@pytest.fixture(scope="module")
def schema():
    data = PBPKData(compounds=30, validation_compounds=5, test_compounds=5, time_points=6, body={"sex": "female"})
    data.prepare_data()
    data.setup()
    return input_schema(data)


def test_an_example_names_its_sex_and_reads_back(schema):
    (example,) = example_records(schema)
    assert set(LABELS) <= set(example)
    jsonschema.validate({"rows": [example]}, request_schema(schema, "it", 1))
    subject, warnings = population_of([example | {"sex": "female"}], schema)
    assert subject.sex.tolist() == [1]
    assert warnings == []


@pytest.mark.parametrize("population", ["real_chemistry", "wide"])
def test_an_example_is_one_of_the_population_of_the_training(population):
    data = PBPKData(compounds=30, validation_compounds=5, test_compounds=5, time_points=6, population=population)
    data.prepare_data()
    data.setup()
    schema = input_schema(data)
    assert schema["population"] == population
    subject, _ = population_of(example_records(schema), schema)
    assert (subject.n_doses, subject.interval_h) == (data.population.n_doses, data.population.interval_h)
    assert subject.density_kg_per_l.ne(1).all()


def test_a_record_without_labels_is_an_adult_of_one_kg_per_litre(schema):
    (example,) = example_records(schema)
    plain = {name: value for name, value in example.items() if name not in LABELS}
    subject, _ = population_of([plain], schema)
    assert subject.density_kg_per_l.eq(1).all()
    assert subject.age_y.item() == 35


def test_volumes_follow_the_weight_by_their_density(schema):
    woman = sample_population(1, seed=0, body={"sex": "female"})
    (example,) = example_records(schema)
    names = list(example["volume_l"])
    example |= {name: dict(zip(names, woman.tensors()[name][0].tolist(), strict=True)) for name in LABELS[2:]}
    whole = whole_subject(example | {"weight_kg": 50.0}, ["weight_kg"], schema)
    population_of([whole], schema)
    assert sum(whole["volume_l"].values()) < 50


def test_a_record_may_say_what_the_gut_wall_metabolises(schema):
    (example,) = example_records(schema)
    example |= {"route": "oral", "infusion_h": 0.0, "bioavailability": 0.9, "gut_extraction": 0.5}
    subject, warnings = population_of([example], schema)
    assert subject.gut_extraction.tolist() == [0.5]
    assert "bioavailability" not in {each.name for each in inputs_of(subject, schema).outside}
    assert warnings == []
    low = population_of([example | {"gut_extraction": 0.9}], schema)[0]
    assert "bioavailability" in {each.name for each in inputs_of(low, schema).outside}
    without = population_of([{name: value for name, value in example.items() if name != "gut_extraction"}], schema)[0]
    assert without.gut_extraction.tolist() == [0]
    with pytest.raises(FulmenError, match=re.escape("rows[0].gut_extraction: 1.2; it must be in [0, 1)")):
        population_of([example | {"gut_extraction": 1.2}], schema)


def test_an_unknown_sex_is_refused(schema):
    (example,) = example_records(schema)
    with pytest.raises(FulmenError, match="'man' is no sex; there is male, female"):
        population_of([example | {"sex": "man"}], schema)


def test_no_label_is_out_of_range(schema):
    old = sample_population(4, seed=0, body={"age_y": 75.0, "sex": "male"})
    told = {each.name for each in inputs_of(old, schema).outside}
    assert not {name for name in told if name.startswith(LABELS)}


def test_a_model_of_before_ages_still_has_its_example():
    model = Predictor(Store(project_root() / "tests" / "frozen" / "4332109" / "models").find("pbpk"))
    (example,) = model.examples()
    assert not set(LABELS) & set(example)
    (answer,) = model.answers([model.read_records([example])])
    assert torch.tensor(answer.columns["concentration_mg_per_l"]).isfinite().all()


def test_a_route_that_lies_between_two_of_the_training_is_refused_like_any_other_that_was_not_seen():
    data = PBPKData(compounds=12, validation_compounds=3, test_compounds=3, time_points=8, routes=["bolus", "oral"])
    data.prepare_data()
    data.setup()
    schema = input_schema(data)
    inputs_of(sample_population(4, seed=1, routes=["oral"]), schema)
    with pytest.raises(FulmenError, match="subject 0 has the route infusion, which the model was not trained on"):
        inputs_of(sample_population(4, seed=1, routes=["infusion"]), schema)
