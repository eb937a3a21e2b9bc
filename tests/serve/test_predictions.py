"""Predictions over HTTP, of models that an earlier release has kept: what `fulmen predict` says, and clear refusals."""

import io
import json
import shutil
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fulmen.config.schema import project_root
from fulmen.registry.using import predict
from fulmen.serve.app import create_app
from fulmen.serve.settings import Limits, Settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of a newer httpx
    from starlette.testclient import TestClient

ADDRESS = "http://127.0.0.1:5000"
FROZEN = project_root() / "tests" / "frozen" / "4332109" / "models"
WORKLOADS = ("images", "pbpk", "sensors", "stocks")

pytestmark = pytest.mark.filterwarnings("ignore:.*the range in training", "ignore:.*seen in training")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A server of the four frozen models, in this process, and its registry."""
    folder = tmp_path_factory.mktemp("serve")
    registry = folder / "models"
    shutil.copytree(FROZEN, registry)
    settings = Settings(outputs=folder / "outputs", registry=registry, limits=replace(Limits(), rows=100))
    with TestClient(create_app(settings), ADDRESS, raise_server_exceptions=False) as client:
        yield client, registry


@pytest.fixture(scope="module")
def client(place):
    return place[0]


@pytest.fixture(scope="module")
def examples(client):
    return {name: client.get(f"/api/models/{name}/examples").json() for name in WORKLOADS}


def problem(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.json()


@pytest.mark.parametrize("name", WORKLOADS)
def test_an_example_is_predicted_as_it_stands(client, examples, name):
    answer = client.post(f"/api/models/{name}/predict", json=examples[name])
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["model"] == f"{name}:1"
    assert [column["name"] for column in said["columns"]] == list(said["rows"][0])
    assert len(said["in_range"]) >= 1
    assert said["in_range"] == [
        row not in {each["row"] for each in said["outside"]} for row in range(len(said["in_range"]))
    ]


def test_a_csv_in_a_form_is_answered_as_by_the_command_line(client, examples, place, tmp_path):
    for name, other in {"stocks": "lines", "sensors": "rows"}.items():
        path = tmp_path / f"{name}.csv"
        pd.DataFrame(examples[name]["rows"]).to_csv(path, index=False)
        answer = client.post(f"/api/models/{name}/predict", files={"file": (path.name, path.read_bytes())},
                             headers={"Accept": "text/csv"})  # fmt: skip
        assert answer.headers["content-type"].startswith("text/csv"), other
        assert answer.text == predict(name, path, place[1]).to_csv(index=False)


def test_rows_of_json_are_answered_as_the_command_line_answers_a_file(client, examples, place, tmp_path):
    path = tmp_path / "x.csv"
    pd.DataFrame(examples["sensors"]["rows"]).to_csv(path, index=False)
    table = predict("sensors", path, place[1])
    said = client.post("/api/models/sensors/predict", json=examples["sensors"]).json()
    for name in table.columns.drop("row"):
        theirs = table[name].to_numpy()
        ours = np.array([row[name] for row in said["rows"]]).astype(theirs.dtype)
        assert np.array_equal(ours, theirs), name


def test_intervals_and_units_are_told(client, examples):
    said = client.post("/api/models/stocks/predict", json=examples["stocks"]).json()
    assert {(each["of"], each["level"]) for each in said["intervals"]} == {("price", 0.8), ("price", 0.95)}
    assert {"name": "price", "unit": "currency"} in said["columns"]
    row = said["rows"][0]
    assert row["low_95"] < row["low_80"] < row["price"] < row["high_80"] < row["high_95"]


def test_a_value_out_of_range_is_predicted_and_explained(client, examples):
    rows = [dict(row) for row in examples["sensors"]["rows"]]
    rows[3]["light_lux"] = 1e6
    said = client.post("/api/models/sensors/predict", json={"rows": rows}).json()
    assert said["in_range"][3] is False
    assert said["in_range"].count(True) == len(rows) - 1
    assert said["outside"][0]["name"] == "light_lux"
    assert said["outside"][0]["message"].startswith("light_lux is 1e+06 lux, outside ")
    assert len(said["warnings"]) == 1


def test_a_schema_is_told_without_loading_the_model(client):
    schema = client.get("/api/models/sensors/schema").json()
    assert schema["$schema"].endswith("2020-12/schema")
    assert schema["properties"]["rows"]["maxItems"] == 100


WRONG = {
    "it is no JSON": (b"{", "body"),
    "a list of rows": (b"[1]", "rows"),
    "no such field": (b'{"rows": [], "row": 1}', "row"),
    "there is none": (b'{"rows": []}', "rows"),
    "has to be an object": (b'{"rows": [1]}', "rows[0]"),
    "NaN is no number": (b'{"rows": [{"light_lux": NaN, "temperature_c": 1, "vibration_mm_s": 1, "machine": "a", '
                         b'"time": 1}]}', "rows[0].light_lux"),
    "inf is infinite": (b'{"rows": [{"light_lux": Infinity, "temperature_c": 1, "vibration_mm_s": 1, "machine": "a", '
                        b'"time": 1}]}', "rows[0].light_lux"),
    "has more than one row": (b'{"rows": [{"light_lux": 1, "temperature_c": 1, "vibration_mm_s": 1, "machine": "a", '
                              b'"time": 1}]}', "rows"),
    "it is no JSON (maximum recursion": (b'{"rows": ' + b"[" * 200_000, "body"),
}  # fmt: skip


@pytest.mark.parametrize("said", WRONG)
def test_what_cannot_be_read_is_refused_with_its_place(client, said):
    body, key = WRONG[said]
    found = problem(client.post("/api/models/sensors/predict", content=body), 422)
    assert found["errors"][0]["key"] == key
    assert said in found["detail"]


def test_limits_types_and_names_are_refused_in_words(client, examples):
    many = {"rows": examples["sensors"]["rows"] * 10}
    assert "480 rows are more" in problem(client.post("/api/models/sensors/predict", json=many), 413)["detail"]
    text = client.post("/api/models/sensors/predict", content=b"x", headers={"Content-Type": "text/plain"})
    assert "send application/json or multipart/form-data" in problem(text, 415)["detail"]
    assert "there is no model pump" in problem(client.post("/api/models/pump/predict", json={}), 404)["detail"]
    packed = client.post("/api/models/sensors/predict", files={"file": ("x.csv.gz", b"x")})
    assert "has to be unpacked first" in problem(packed, 422)["detail"]
    assert "the form has none" in problem(client.post("/api/models/sensors/predict", files={"x": b""}), 422)["detail"]
    said = problem(client.post("/api/models/sensors/predict", files={"file": ("x.csv", b"a,b\n1,2\n")}), 422)
    assert said["detail"].startswith("file: x.csv: no column light_lux")


def test_an_archive_that_unpacks_to_more_than_is_allowed_is_not_read(place, monkeypatch):
    client, _ = place
    services = client.app.state.services
    monkeypatch.setattr(services, "settings", replace(services.settings, limits=Limits(upload_bytes=10_000)))
    file = io.BytesIO()
    np.savez_compressed(file, x=np.zeros((10, 32, 32, 3), np.uint8))
    said = problem(client.post("/api/models/images/predict", files={"file": ("x.npz", file.getvalue())}), 413)
    assert "unpacks to" in said["detail"]


def test_one_wrong_request_among_many_at_once_spoils_no_other(client, examples):
    from concurrent.futures import ThreadPoolExecutor

    right, wrong = json.dumps(examples["sensors"]), '{"rows": [{}]}'
    expected = client.post("/api/models/sensors/predict", content=right).json()["rows"]
    with ThreadPoolExecutor(10) as pool:
        bodies = [wrong if i % 5 == 0 else right for i in range(40)]
        said = list(pool.map(lambda body: client.post("/api/models/sensors/predict", content=body), bodies))
    for body, answer in zip(bodies, said, strict=True):
        assert answer.status_code == (422 if body == wrong else 200)
        if body == right:
            for ours, theirs in zip(answer.json()["rows"], expected, strict=True):
                assert ours["p(1)"] == pytest.approx(theirs["p(1)"], rel=1e-5, abs=1e-6)


def test_an_answer_that_takes_too_long_or_a_queue_that_is_full_is_503_with_when_to_come_again(client, examples):
    predictions = client.app.state.services.predictions
    before, predictions.seconds = predictions.seconds, 0.0
    try:
        answer = client.post("/api/models/sensors/predict", json=examples["sensors"])
    finally:
        predictions.seconds = before
    assert "no answer within 0 s" in problem(answer, 503)["detail"]
    assert answer.headers["retry-after"] == "5"


def test_who_watches_is_told_of_every_answer(client, examples):
    seen = []
    predictions = client.app.state.services.predictions
    predictions.observers.append(lambda *said: seen.append(said))
    client.post("/api/models/images/predict", json=examples["images"])
    predictions.observers.pop()
    assert [said[:3] for said in seen] == [("images", 1, 2)]
    assert 'predictions_total{model="images",version="1"}' in client.get("/metrics").text


def test_a_workload_that_turns_files_into_tables_itself_is_served_files_and_says_so_of_rows(place, monkeypatch):
    from fulmen.workloads.stocks.module import StockForecaster

    client = place[0]
    client.app.state.services.predictions.warm.get("stocks").result()
    monkeypatch.delattr(StockForecaster, "read_file")
    monkeypatch.delattr(StockForecaster, "read_records")
    monkeypatch.setattr(StockForecaster, "predict_file", lambda self, path, schema, **_: pd.DataFrame({"y": [1.5]}))
    said = client.post("/api/models/stocks/predict", files={"file": ("x.csv", b"x")}).json()
    assert (said["rows"], said["in_range"]) == ([{"y": 1.5}], [True])
    refused = problem(client.post("/api/models/stocks/predict", json={"rows": [{}]}), 422)
    assert refused["detail"] == "rows: StockForecaster takes no values (it has no read_records); give it a file"


def test_a_table_is_asked_for_by_its_name(client, examples, tmp_path):
    said = client.post("/api/models/pbpk/predict?table=pk", json=examples["pbpk"])
    assert said.status_code == 200, said.text
    rows = said.json()["rows"]
    assert len(rows) == 15 * len(examples["pbpk"]["rows"])
    assert rows[14]["organ"] == "plasma"
    assert rows[0]["auc_last_mg_h_per_l"] > 0
    assert rows[1]["clearance_l_per_h"] is None  # of the liver there is none
    units = {each["name"]: each["unit"] for each in said.json()["columns"]}
    assert (units["auc_last_mg_h_per_l"], units["half_life_h"], units["organ"]) == ("mg h/L", "h", None)
    csv = client.post("/api/models/pbpk/predict?table=pk", json=examples["pbpk"], headers={"accept": "text/csv"}).text
    assert pd.read_csv(io.StringIO(csv)).auc_last_mg_h_per_l[0] == pytest.approx(rows[0]["auc_last_mg_h_per_l"])
    usual = client.post("/api/models/pbpk/predict?table=concentrations", json=examples["pbpk"]).json()
    assert usual == client.post("/api/models/pbpk/predict", json=examples["pbpk"]).json()
    refused = problem(client.post("/api/models/stocks/predict?table=pk", json=examples["stocks"]), 422)
    assert "stocks:1: this model has no table 'pk'; it has predictions" in refused["detail"]
