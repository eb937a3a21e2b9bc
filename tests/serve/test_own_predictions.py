"""One question, asked by HTTP, by `fulmen predict` and of the run itself: one answer, in all four workloads."""

import base64
import io
import shutil
import warnings

import numpy as np
import pytest

import fulmen
from fulmen.callbacks.outputs import predict_test
from fulmen.config.schema import project_root
from fulmen.registry.using import predict
from fulmen.serve.app import create_app
from fulmen.serve.settings import Settings
from fulmen.workloads.pbpk.simulator.physiology import ORGANS

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of a newer httpx
    from starlette.testclient import TestClient

FROZEN = project_root() / "tests" / "frozen" / "4332109"
RTOL, ATOL = 1e-5, 1e-6  # what the registry allows

pytestmark = pytest.mark.filterwarnings("ignore:.*the range in training", "ignore:.*seen in training", "ignore:drift")


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve")
    shutil.copytree(FROZEN / "models", folder / "models")
    settings = Settings(outputs=folder / "outputs", registry=folder / "models")
    with TestClient(create_app(settings), "http://127.0.0.1:5000", raise_server_exceptions=False) as found:
        yield found


def sensors(data, path):
    """The whole plant as a file and as rows, and which rows are those of the test split."""
    data.export(path := path / "x.csv")
    rows = [dict(row) for row in data.source.frame().drop(columns="maintenance").to_dict("records")]
    rows = [{k: None if v != v else v for k, v in row.items()} for row in rows]
    chosen = np.isin(np.arange(len(rows)), data.splits["test"]["row"].numpy() - 1)
    return path, rows, chosen, np.argsort(data.splits["test"]["row"].numpy())


def stocks(data, path):
    from fulmen.workloads.stocks.arrays import series_from

    (series,) = series_from(data._arrays())
    days = series.day.astype("datetime64[D]").astype(str)
    columns = {name.capitalize(): getattr(series, name) for name in ("open", "high", "low", "close", "volume")}
    rows = [{"Date": str(day), **{k: float(v[i]) for k, v in columns.items()}} for i, day in enumerate(days)]
    (path := path / "SIM0.csv").write_text(
        "\n".join([",".join(rows[0]), *(",".join(map(str, row.values())) for row in rows)])
    )
    return path, rows, data.splits["test"]["day"].numpy().astype("datetime64[D]").astype(str), None


def images(data, path):
    image = data.splits["test"]["image"].numpy().transpose(0, 2, 3, 1)[:40]
    np.save(path := path / "x.npy", image)
    files = []
    for each in image:
        np.save(file := io.BytesIO(), each)
        files.append({"x": base64.b64encode(file.getvalue()).decode()})
    return path, files, np.ones(40, bool), None


def pbpk(data, path):
    data.export(path := path / "x.npz")
    subjects = {name: value.tolist() for name, value in data.population.tensors().items()}
    fixed = {"n_doses": data.population.n_doses, "interval_h": data.population.interval_h}
    rows = [{name: values[i] for name, values in subjects.items()} | fixed for i in range(len(data.population))]
    return path, rows, data.splits["test"]["subject"].numpy(), None


def own(workload, data, said):
    """What the run says of its test split, under the names of a table: [test items, ...]."""
    if workload == "sensors":
        return {"p(1)": said["probability"][:, 1]}
    if workload == "stocks":
        return {"log_return": said["log_return"]}
    if workload == "images":
        return {f"p_{name}": said["log_probability"].exp()[:40, c] for c, name in enumerate(data.names)}
    return {"concentration_mg_per_l": said["concentration_mg_per_l"].flatten(1)}


def of_test_items(workload, values, table, chosen):
    """The same items of a column of a table: [test items, ...]."""
    if workload == "stocks":
        return np.stack([values[table == day] for day in chosen])
    return values.reshape(-1, len(ORGANS) * 19)[chosen] if workload == "pbpk" else values[chosen]


@pytest.mark.slow
@pytest.mark.parametrize("workload", ["sensors", "stocks", "images", "pbpk"])
def test_http_the_command_line_and_the_run_say_the_same(client, workload, tmp_path):
    run = fulmen.load_run(FROZEN / "runs" / workload)
    path, rows, chosen, order = globals()[workload](run.data, tmp_path)
    answer = client.post(f"/api/models/{workload}/predict", json={"rows": rows})
    assert answer.status_code == 200, answer.text[:500]
    table = predict(workload, path, client.app.state.services.settings.registry)
    for name, expected in own(workload, run.data, predict_test(run.model, run.data)).items():
        by_http = np.array([row[name] for row in answer.json()["rows"]])
        assert np.allclose(by_http, table[name].to_numpy(), rtol=RTOL, atol=ATOL)
        days = np.array([row.get("day") for row in answer.json()["rows"]])
        ours = of_test_items(workload, by_http, days, chosen)
        theirs = expected.numpy()[order] if order is not None else expected.numpy()
        assert np.allclose(ours, theirs, rtol=RTOL, atol=ATOL), name
