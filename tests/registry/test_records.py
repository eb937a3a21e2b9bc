"""Values in memory are predicted as the file that holds them, by models that an earlier release has kept."""

import base64
import io
import json

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from fulmen.config.schema import project_root
from fulmen.errors import FulmenError
from fulmen.registry.json_schema import request_schema
from fulmen.registry.predictor import Predictor
from fulmen.registry.store import Store

MODELS = project_root() / "tests" / "frozen" / "4332109" / "models"
WORKLOADS = ("images", "pbpk", "sensors", "stocks")

pytestmark = pytest.mark.filterwarnings("ignore:.*the range in training", "ignore:.*seen in training")


@pytest.fixture(scope="module")
def kept():
    return {name: Predictor(Store(MODELS).find(name)) for name in WORKLOADS}


@pytest.fixture(scope="module")
def rows(kept):
    """Records that each model can be tried with, as JSON leaves them."""
    return {name: json.loads(json.dumps(predictor.examples())) for name, predictor in kept.items()}


def written(workload, records, folder):
    """A file that holds records."""
    path = folder / {"images": "x.npz", "pbpk": "x.npz"}.get(workload, "x.csv")
    if workload == "images":
        from PIL import Image

        read = [np.asarray(Image.open(io.BytesIO(base64.b64decode(each["x"])))) for each in records]
        np.savez(path, x=np.stack(read))
    elif workload == "pbpk":
        routes, organs = ["bolus", "infusion", "oral"], list(records[0]["kp"])
        arrays = {name: [each[name] for each in records] for name in records[0]}
        arrays |= {name: [list(each.values()) for each in arrays[name]] for name in ("kp", "volume_l", "flow_l_per_h")}
        arrays |= {"route": [routes.index(name) for name in arrays["route"]], "organ": organs}
        arrays |= {name: arrays[name][0] for name in ("n_doses", "interval_h")}
        arrays |= {name: [0] * len(records) for name in ("compound", "lipophilicity")}
        np.savez(path, **arrays)
    else:
        lines = [",".join(records[0]), *(",".join(map(str, each.values())) for each in records)]
        path.write_text("\n".join(lines).replace("None", ""))
    return path


@pytest.mark.parametrize("workload", WORKLOADS)
def test_records_are_predicted_as_the_file_that_holds_them(kept, rows, workload, tmp_path):
    predictor = kept[workload]
    table = predictor.predict_file(written(workload, rows[workload], tmp_path))
    (answer,) = predictor.answers([predictor.read_records(rows[workload])])
    assert list(answer.columns) == list(table.columns)
    for name in table.columns.difference(["row", "ticker"]):
        ours, theirs = answer.columns[name], table[name].to_numpy()
        assert np.array_equal(ours, theirs.astype(ours.dtype)), name
    assert set(answer.units) <= set(answer.columns)


@pytest.mark.parametrize("workload", WORKLOADS)
def test_an_answer_does_not_depend_on_what_shares_its_batch(kept, rows, workload):
    predictor = kept[workload]
    question = predictor.read_records(rows[workload])
    (alone,) = predictor.answers([question])
    other = predictor.read_records(rows[workload][:2] if workload != "stocks" else rows[workload])
    among = predictor.answers([other, question, other])[1]
    for name, values in alone.columns.items():
        if values.dtype.kind == "f":
            assert np.allclose(among.columns[name], values, rtol=1e-5, atol=1e-6), name
        else:
            assert np.array_equal(among.columns[name], values), name


@pytest.mark.parametrize("workload", WORKLOADS)
def test_the_json_schema_is_one_and_its_examples_fit_it(kept, rows, workload):
    schema = request_schema(kept[workload].schema, workload, rows=100)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    assert rows[workload]
    validator.validate({"rows": rows[workload]})
    assert not validator.is_valid({"rows": [{}]})
    assert not validator.is_valid({"rows": []})


def test_units_and_ranges_stand_in_the_schema_as_they_were_kept(kept):
    properties = request_schema(kept["sensors"].schema, "x", 9)["properties"]["rows"]["items"]["properties"]
    facts = {column["name"]: column for column in kept["sensors"].schema["columns"]}
    assert properties["light_lux"]["x-unit"] == "lux"
    assert properties["light_lux"]["x-range"] == facts["light_lux"]["range"]
    assert {"type": "null"} in properties["light_lux"]["anyOf"]


def changed(**values):
    return lambda rows: [rows[0] | values, *rows[1:]]


WRONG = {
    ("sensors", r"rows\[0\]\.light_lux: 'dark' is no number"): changed(light_lux="dark"),
    ("sensors", r"rows\[0\]\.light_lux: 'True' is no number"): changed(light_lux=True),
    ("sensors", r"rows\[0\]\.light_lux: NaN is no number"): changed(light_lux=float("nan")),
    ("sensors", r"rows\[0\]\.light_lux: -inf is infinite"): changed(light_lux=float("-inf")),
    ("sensors", r"rows\[0\]\.light_lux: 1000.* is infinite"): changed(light_lux=10**400),
    ("sensors", r"rows\[1\]: it has to be an object"): lambda rows: [rows[0], 3],
    ("sensors", r"rows\[1\]\.light_lux: it is missing; the row has x"): lambda rows: [rows[0], {"x": 1}],
    ("sensors", r"rows: there is none"): lambda rows: [],
    ("sensors", r"rows: the model looks at the .* hours before each reading, and no machine has more than one row"):
        lambda rows: rows[:1],
    ("stocks", r"days are too few.*give at least"): lambda rows: rows[:1],
    ("stocks", r"rows\[0\]\.Date: 'soon' is no date"): changed(Date="soon"),
    ("stocks", r"rows\[0\]\.Close: is empty"): changed(Close=None),
    ("stocks", r"rows\[0\]\.Volume: -1; it must be 0 or more"): changed(Volume=-1),
    ("stocks", r"rows\[0\]\.Date: 2999-01-01 is in another year"): changed(Date="2999-01-01"),
    ("images", r"rows\[0\]\.x: the text is no PNG or \.npy file"): changed(x="aGVsbG8="),
    ("images", r"rows\[0\]\.x: its rows differ in length"): changed(x=[[1], [1, 2]]),
    ("images", r"rows\[0\]\.x: it has to hold whole numbers from 0"): changed(x=[[0.5] * 32] * 32),
    ("images", r"rows\[0\]\.x: its shape is \[2, 2\]; the model was trained on \[32, 32\]"): changed(x=[[1, 2]] * 2),
    ("pbpk", r"rows\[0\]\.weight_kg: -5; it must be finite, above 0"): changed(weight_kg=-5),
    ("pbpk", r"rows\[0\]\.kp: it has to hold 14 numbers: blood"): changed(kp=[1, 2]),
    ("pbpk", r"rows\[0\]\.kp\.blood: it is missing"): changed(kp={}),
    ("pbpk", r"rows\[0\]\.route: 'nasal' is no route; there is bolus"): changed(route="nasal"),
    ("pbpk", r"n_doses is 2; the model was trained on 1"): changed(n_doses=2),
    ("pbpk", r"rows\[0\]\.dose_mg: inf is not finite"): changed(dose_mg=float("inf")),
}  # fmt: skip


@pytest.mark.parametrize(("workload", "said"), WRONG)
def test_a_value_that_cannot_be_is_refused_with_its_place(kept, rows, workload, said):
    with pytest.raises(FulmenError, match=said):
        kept[workload].read_records(WRONG[workload, said](rows[workload]))


def test_an_array_may_travel_as_npy_and_a_wrong_one_is_not_read(kept):
    file = io.BytesIO()
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    np.save(file, image)
    predictor = kept["images"]
    asked = predictor.read_records([{"x": base64.b64encode(file.getvalue()).decode()}, {"x": image.tolist()}])
    assert asked.batch["image"][0].equal(asked.batch["image"][1])
    huge = file.getvalue().replace(b"(32, 32, 3)", b"(9999999999")
    with pytest.raises(FulmenError, match=r"rows\[0\]\.x"):
        predictor.read_records([{"x": base64.b64encode(huge).decode()}])


def test_what_leaves_the_range_in_training_is_named_row_by_row(kept, rows):
    records = [dict(each) for each in rows["sensors"]]
    records[2]["light_lux"] = 1e6
    asked = kept["sensors"].read_records(records)
    (found,) = [each for each in asked.outside if each.name == "light_lux"]
    low, high = next(c["range"] for c in kept["sensors"].schema["columns"] if c["name"] == "light_lux")
    assert (found.row, found.value, found.low, found.high, found.unit) == (2, 1e6, low, high, "lux")
    assert str(found) == f"light_lux is 1e+06 lux, outside {low:.4g} to {high:.4g} lux"
    assert any(warning.startswith("rows[2].light_lux: 1e+06 lies outside") for warning in asked.warnings)


def test_names_that_nobody_reads_are_told(kept, rows):
    records = [{**each, "colour": "red"} for each in rows["sensors"]]
    assert "not used: colour" in kept["sensors"].read_records(records).warnings
