"""The calls of the published interface run as its documentation has them, against a real server on a short series."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest
from serving import started

from fulmen.config.places import conf_folder
from fulmen.serve.published_models import ALL, NAMES

FAST = {"mode": "fast", "lookback": 60, "horizon": 1}
OPTIMIZED = {"mode": "optimized", "optimization_strategy": "bayesian", "n_trials": 30, "model_ids": [1, 11, 21, 26, 30],
             "lookback": 60, "horizon": 1}  # fmt: skip
# 180 trainings, as the documented body asks for
pytestmark = [pytest.mark.timeout(1200), pytest.mark.usefixtures("warm_start")]
METRICS = {"mae", "rmse", "mape", "r2", "accuracy", "pearson_corr"}


@pytest.fixture(scope="module")
def trainer(tmp_path_factory):
    home = tmp_path_factory.mktemp("trainer")
    close = 100 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.02, 250)))
    days = np.busday_offset("2020-01-01", np.arange(250), roll="forward")
    rows = [f"{day},{c},{1.01 * c},{0.99 * c},{c},1000" for day, c in zip(days, close, strict=True)]
    (home / "prices.csv").write_text("\n".join(["Date,Open,High,Low,Close,Volume", *rows]))
    found = started(home, "--stocks-csv", "prices.csv", "--stocks-epochs", "1", "--slots", "2")
    yield found
    found.client.close()
    found.stop()


@pytest.fixture(scope="module")
def answers(trainer):
    """Both calls of the documentation at the same time, one for each core: mode -> answer."""

    def ask(body):
        return httpx.post(f"{trainer.url}/api/train-advanced", json=body, timeout=1200).json()

    with ThreadPoolExecutor(2) as both:
        return dict(zip(("fast", "optimized"), both.map(ask, (FAST, OPTIMIZED)), strict=True))


def test_models_info_has_the_published_names_and_categories(client):
    answer = client.get("/api/models-info").json()
    assert answer["total_models"] == 30
    assert [each["id"] for each in answer["models"]] == list(range(1, 31))
    assert [each["name"] for each in answer["models"]] == list(NAMES)
    assert [each["id"] for each in answer["models"] if not each["description"]] == []
    assert answer["categories"]["Attention & Hybrid"] == [26, 27, 28, 29, 30]
    assert [number for numbers in answer["categories"].values() for number in numbers] == list(ALL)


def test_every_number_is_a_network_of_its_own():
    files = sorted(path.name for path in (conf_folder() / "network/stocks").glob("*.yaml"))
    assert [int(re.match(r"\d+", name)[0]) for name in files] == list(ALL)


@pytest.mark.parametrize(
    ("body", "key"),
    [({"mode": "slow"}, "mode"), ({"model_ids": [1, 31]}, "model_ids"), ({"model_ids": []}, "model_ids"),
     ({"lookback": 5}, "lookback"), ({"horizon": 31}, "horizon"), ({"n_trials": 0}, "n_trials"),
     ({"optimization_strategy": "guess"}, "optimization_strategy"), ({"epoch": 3}, "epoch")],
)  # fmt: skip
def test_what_cannot_be_asked_is_named_and_nothing_is_started(client, body, key):
    answer = client.post("/api/train-advanced", json=body)
    assert answer.status_code == 422
    assert [each["key"] for each in answer.json()["errors"]] == [key]
    assert client.get("/api/train-progress").json()["status"] == "idle"


def test_without_a_training_there_is_no_best_model(client):
    assert client.get("/api/models/best").status_code == 404


@pytest.mark.slow
@pytest.mark.service
def test_the_fast_call_of_the_documentation_trains_all_models(trainer, answers):
    answer = answers["fast"]
    assert {"status", "mode", "winner", "total_models", "results"} <= answer.keys()
    assert (answer["status"], answer["mode"], answer["total_models"]) == ("success", "fast", 30)
    assert [each["model_id"] for each in answer["results"]] == list(ALL)
    for each in answer["results"]:
        assert {"model_id", "model_name", "rmse", "version", "mae", "mape", "pearson_corr"} <= each.keys()
        assert each["model_name"] == NAMES[each["model_id"] - 1]
        assert 0 < each["mae"] <= each["rmse"]
        assert each["persistence_rmse"] > 0
    assert answer["winner"]["rmse"] == min(each["rmse"] for each in answer["results"])
    assert answer["data"] == "prices.csv"
    best = trainer.client.get("/api/models/best").json()
    winners = [each["winner"] for each in answers.values()]
    assert best["version"] == min(winners, key=lambda each: each["rmse"])["version"]
    assert best["metrics"].keys() == METRICS
    assert best["registered_at"]


@pytest.mark.slow
@pytest.mark.service
def test_the_optimized_call_of_the_documentation_searches_five_models(answers):
    answer = answers["optimized"]
    assert {"winner", "total_models_tested", "total_time", "avg_time_per_model", "all_results"} <= answer.keys()
    assert (answer["status"], answer["mode"]) == ("success", "optimized")
    assert answer["optimization_strategy"] == "bayesian"
    assert [each["model_id"] for each in answer["all_results"]] == OPTIMIZED["model_ids"]
    for each in answer["all_results"]:
        assert {"model_id", "model_name", "best_rmse", "best_params", "n_trials", "elapsed_time"} <= each.keys()
        wanted = {"learning_rate", "batch_size", "dropout_rate", "epochs", "activation"}
        assert each["best_params"].keys() == wanted
        assert None not in each["best_params"].values()
        assert each["n_trials"] == 30


@pytest.mark.slow
@pytest.mark.service
def test_a_client_that_leaves_does_not_end_its_training_and_one_need_not_wait(trainer):
    with pytest.raises(httpx.ReadTimeout):
        trainer.client.post("/api/train-advanced", json={"model_ids": [4]}, timeout=1)
    answer = trainer.client.post("/api/train-advanced?wait=false", json={"model_ids": [6]})
    assert answer.status_code == 202
    ended = [job_at_its_end(trainer, answer.json()["id"])]
    ended += [job_at_its_end(trainer, job["id"]) for job in trainer.client.get("/api/jobs").json()["items"]]
    assert {job["state"] for job in ended} == {"completed"}
    progress = trainer.client.get("/api/train-progress").json()
    assert (progress["status"], progress["models_done"], progress["trials_done"]) == ("completed", 1, 1)


def job_at_its_end(trainer, id):
    """A job once it has ended."""
    while True:
        job = trainer.client.get(f"/api/jobs/{id}").json()
        if job["state"] not in ("queued", "running"):
            return job
        time.sleep(0.2)
