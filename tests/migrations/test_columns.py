"""What a kept model says of its predictions is what it predicts, also where a column had another name."""

from fulmen.config.schema import project_root
from fulmen.migrations.columns import with_columns_of_today
from fulmen.registry.predictor import Predictor
from fulmen.registry.store import Store

MODELS = project_root() / "tests" / "frozen" / "4332109" / "models"


def test_a_model_that_was_kept_with_the_old_name_answers_and_explains_with_the_new_one():
    model = Predictor(Store(MODELS).find("pbpk"))
    (answer,) = model.answers([model.read_records(model.examples())])
    assert "concentration_mg_per_l" in answer.columns
    assert list(model.schema["output"]) == list(answer.columns)


def test_any_other_schema_stays_as_it_is():
    for schema in ({}, {"output": {"price": "USD"}}, {"output": "a table"}):
        assert with_columns_of_today(schema) is schema
