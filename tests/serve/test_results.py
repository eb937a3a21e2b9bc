"""Runs, searches and rankings by HTTP: listed, described, labelled, compared, deleted; nothing else can be read."""

import json
from urllib.parse import quote

import pytest
from result_folders import locked, queued, ranking_folder, run_folder, search_folder

from fulmen.utils.files import write_json

RUN = "sensors/2026-11-28_12-00-00-000000"


@pytest.fixture
def outputs(settings):
    """Three runs, one of them archived."""
    run_folder(settings.outputs, lr=0.1)
    run_folder(settings.outputs, "sensors/two", lr=0.2, epochs=9)
    run_folder(settings.outputs, "stocks/bad", status="failed", experiment="stocks", message="no file\nmore")
    return settings.outputs


def names(answer):
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


def test_runs_are_listed_with_filters_order_and_pages(client, outputs):
    client.patch(f"/api/runs/{RUN}", json={"archived": True, "tags": ["paper"], "note": "see figure 3"})
    assert set(names(client.get("/api/runs"))) == {"sensors/two", "stocks/bad"}
    assert names(client.get("/api/runs?archived=only&tag=paper")) == [RUN]
    assert names(client.get("/api/runs?archived=all&text=FIGURE")) == [RUN]
    assert names(client.get("/api/runs?status=failed&status=killed")) == ["stocks/bad"]
    assert names(client.get("/api/runs?experiment=sens*")) == ["sensors/two"]
    assert names(client.get("/api/runs?archived=all&sort=-epochs&limit=1"))[0] == "sensors/two"
    page = client.get("/api/runs?archived=all&sort=name&limit=1&offset=1").json()
    assert ([item["name"] for item in page["items"]], page["total"], page["limit"], page["offset"]) == (
        ["sensors/two"], 3, 1, 1,
    )  # fmt: skip
    assert page["statuses"] == {"completed": 2, "failed": 1}
    assert (page["experiments"], page["tags"]) == (["sensors", "stocks"], ["paper"])


def test_what_cannot_be_listed_says_where_and_why(client, outputs):
    answer = client.get("/api/runs?sort=wrong")
    assert (answer.status_code, answer.json()["errors"][0]["key"]) == (422, "sort")
    assert "there is created" in answer.json()["detail"]
    assert client.get("/api/runs?limit=0").json()["errors"][0]["key"] == "limit"
    assert client.get("/api/runs?archived=maybe").status_code == 422


def test_a_run_is_described_by_either_of_its_names(client, outputs):
    found = client.get(f"/api/runs/{RUN}").json()
    assert found == client.get(f"/api/runs/runs/{RUN}").json()
    assert found["result"]["metrics"]["test/auc"] == 0.9
    assert found["baseline"]["name"] == "logistic"
    assert (found["overrides"], found["has_report"]) == (["experiment=sensors"], True)
    assert found["bytes"] > 0


def test_the_curves_are_numbers_with_gaps(client, outputs):
    assert client.get(f"/api/runs/{RUN}/metrics").json() == {
        "columns": {"epoch": [0, 1], "train/loss": [0.9, 0.7], "val/loss": [0.8, None]},
        "runs": [],
    }


def test_the_curves_of_folds_are_asked_for_by_name(client, outputs):
    folder = run_folder(outputs, "sensors/folds", runs=["seed_1/fold_0", "../two"])
    (folder / "seed_1/fold_0").mkdir(parents=True)
    (folder / "metrics.csv").rename(folder / "seed_1/fold_0/metrics.csv")
    assert client.get("/api/runs/sensors/folds/metrics").json() == {"columns": {}, "runs": ["seed_1/fold_0"]}
    assert client.get("/api/runs/sensors/folds/metrics?run=seed_1/fold_0").json()["columns"]["epoch"] == [0, 1]
    assert client.get("/api/runs/sensors/folds/metrics?run=../two").status_code == 422


def test_a_long_training_is_thinned_to_its_last_epoch(client, outputs):
    rows = "\n".join(f"{epoch},{1 / (epoch + 1)}" for epoch in range(1000))
    (outputs / "runs" / RUN / "metrics.csv").write_text(f"epoch,val/loss\n{rows}\n")
    epochs = client.get(f"/api/runs/{RUN}/metrics?points=100").json()["columns"]["epoch"]
    assert (len(epochs), epochs[-1]) == (100, 999)


def test_a_report_can_do_nothing_but_be_read(client, outputs):
    answer = client.get(f"/api/runs/{RUN}/report")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy
    (outputs / "runs" / RUN / "report.html").unlink()
    answer = client.get(f"/api/runs/{RUN}/report")
    assert "How far did this run" in answer.text
    assert answer.headers["content-security-policy"] == policy


def test_a_link_of_a_report_leads_nowhere(client, outputs):
    (outputs / "runs" / RUN / "report.html").write_text('<a href="seed_1/report.html">seed 1</a>')
    assert client.get(f"/api/runs/{RUN}/report").text == "<a>seed 1</a>"


@pytest.mark.parametrize(
    "path",
    [
        "../secret",
        "sensors/../../secret",
        ".fulmen/keys",
        "/etc/passwd",
        f"{RUN}/../two/../../../secret",
        "runs",
        "x\0y",
    ],
)
def test_no_path_leads_out_of_what_is_listed(client, outputs, path):
    (outputs.parent / "secret").mkdir()
    write_json(outputs.parent / "secret" / "result.json", {"status": "completed"})
    for place in ("", "/report", "/metrics", "/figures/result.json", "/figures/..%2Fresult.json"):
        assert client.get(f"/api/runs/{quote(path, safe='')}{place}").status_code == 404
    assert client.delete(f"/api/runs/{quote(path, safe='')}").status_code == 404
    assert (outputs.parent / "secret" / "result.json").exists()


def test_figures_are_images_of_the_folder_itself(client, outputs):
    figures = outputs / "runs" / RUN / "figures"
    figures.mkdir()
    (figures / "curve.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (outputs.parent / "secret.png").write_bytes(b"secret")
    (figures / "link.png").symlink_to(outputs.parent / "secret.png")
    assert client.get(f"/api/runs/{RUN}").json()["figures"] == ["curve.png"]
    answer = client.get(f"/api/runs/{RUN}/figures/curve.png")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    for name in ("link.png", "..%2Fconfig.yaml", "config.yaml", "absent.png"):
        assert client.get(f"/api/runs/{RUN}/figures/{name}").status_code == 404


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({"tags": ["good", "two words"]}, "tags.1"),
        ({"tag": []}, "tag"),
        ({"note": 5}, "note"),
        ({"archived": "maybe"}, "archived"),
    ],
)
def test_labels_that_cannot_be_are_refused(client, outputs, body, key):
    answer = client.patch(f"/api/runs/{RUN}", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["key"]) == (422, key)


def test_only_what_nobody_needs_is_deleted(client, outputs):
    locked(outputs / "runs/sensors/two")
    queued(outputs, "runs/stocks/waiting")
    answer = client.delete("/api/runs/sensors/two")
    assert answer.status_code == 409
    assert answer.json()["detail"].startswith("runs/sensors/two belongs to process")
    assert client.delete("/api/runs/stocks/waiting").status_code == 409
    assert client.delete(f"/api/runs/{RUN}").status_code == 204
    assert client.get(f"/api/runs/{RUN}").status_code == 404
    assert not (outputs / "runs" / RUN).exists()


@pytest.mark.parametrize(
    "change",
    [
        {"metrics": {"test/auc": float("nan"), "test/f1": "high", "test/x": [1]}},
        {"epochs": "many", "cost": {"fit_seconds": float("inf"), "seconds": "x"}},
        {"message": "a \ud800 b", "experiment": {"a": 1}, "verdicts": ["bad", {"finding": 5}]},
        {"baselines": {"prior": 5, "b": {"loss": "low"}}, "runs": [5, None, "../x"], "better": {"auc": 7}},
    ],
)
def test_a_result_that_somebody_has_written_by_hand_spoils_no_list(client, outputs, change):
    path = outputs / "runs" / RUN / "result.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    assert len(names(client.get("/api/runs"))) == 3
    assert client.get(f"/api/runs/{RUN}").status_code == 200
    assert client.get(f"/api/runs/{RUN}/metrics").status_code == 200
    assert client.get("/api/compare", params={"run": [RUN, "sensors/two"]}).status_code == 200


def test_runs_are_compared_side_by_side(client, outputs):
    found = client.get("/api/compare", params={"run": [RUN, "sensors/two"]}).json()
    assert found["runs"] == [f"runs/{RUN}", "runs/sensors/two"]
    assert found["settings"] == {"model.optimizer.lr": [0.1, 0.2]}
    assert found["facts"]["epochs"] == [3, 9]
    assert client.get("/api/compare", params={"run": [RUN]}).status_code == 422
    assert client.get("/api/compare", params={"run": [RUN, "sensors/absent"]}).status_code == 404


def test_a_search_tells_its_leaderboard_history_and_champion(client, settings):
    folder = search_folder(settings.outputs)
    (folder / "report.md").write_text("# s\n\n## The champion\n\nIt is\nbetter.\n\n| a |\n")
    for seed, auc in (("1", 0.8), ("2", 0.9)):
        place = run_folder(settings.outputs, f"x/{seed}", metrics={"test/auc": auc})
        (folder / "champion").mkdir(exist_ok=True)
        place.rename(folder / f"champion/trial_0001_seed_{seed}")
    found = client.get("/api/searches/sensors-tpe").json()
    assert found["objectives"] == {"val/auc": "max"}
    assert [(row["place"], row["trial"], row["state"]) for row in found["leaderboard"]] == [
        (1, 1, "complete"), (2, 0, "complete"), (None, 2, "failed"),
    ]  # fmt: skip
    assert found["leaderboard"][0]["parameters"] == {"model.optimizer.lr": 0.1}
    assert [(row["trial"], row["value"], row["best"]) for row in found["history"]] == [
        (0, 0.8, 0.8), (1, 0.9, 0.9), (2, None, 0.9),
    ]  # fmt: skip
    champion = found["champion"]
    assert (champion["trial"], champion["conclusion"]) == (1, "It is better.")
    assert champion["metrics"] == {"test/auc": pytest.approx(0.85)}
    assert champion["baselines"]["prior"] == {"loss": 0.7, "auc": 0.5}
    assert names(client.get("/api/searches")) == ["sweeps/sensors-tpe"]
    assert client.get("/api/runs/sweeps/sensors-tpe/report").status_code == 200
    assert client.get("/api/runs/sweeps/sensors-tpe/figures/history.png").status_code == 200
    assert client.get("/api/searches/absent").status_code == 404


def test_a_search_that_goes_on_is_told_by_its_trials(client, settings):
    folder = search_folder(settings.outputs)
    (folder / "leaderboard.csv").unlink()
    for number, auc in ((0, 0.6), (1, 0.7)):
        typed = f"model.optimizer.lr=0.{number + 1}\ntest=false\ncallbacks.progress=null"
        place = run_folder(settings.outputs, f"x/{number}", typed=typed, metrics={"best/val/auc": auc})
        place.rename(folder / f"trial_{number:04d}")
    running = run_folder(settings.outputs, "x/2", status="running", metrics={})
    running.rename(folder / "trial_0002")
    locked(folder / "trial_0002")
    found = client.get("/api/searches/sensors-tpe").json()
    assert found["status"] == "running"
    assert [(row["trial"], row["state"], row["values"]["val/auc"]) for row in found["leaderboard"]] == [
        (1, "complete", 0.7), (0, "complete", 0.6), (2, "running", None),
    ]  # fmt: skip
    assert found["leaderboard"][0]["parameters"] == {"model.optimizer.lr": 0.2}


@pytest.mark.parametrize(
    ("file", "content"),
    [("leaderboard.csv", "place,trial,val/auc,state\n1,1,high,\n"), ("search.json", '{"overrides": [], "search": [1]}'),
     ("search.json", '{"overrides": [], "search": {"objectives": 5}}'), ("leaderboard.csv", "\x00")],
)  # fmt: skip
def test_a_damaged_search_is_said_to_be_damaged_and_spoils_no_list(client, settings, file, content):
    (search_folder(settings.outputs) / file).write_text(content)
    assert names(client.get("/api/searches")) == ["sweeps/sensors-tpe"]
    assert client.get("/api/searches/sensors-tpe").status_code in (200, 409)


def test_a_search_that_waits_has_found_nothing_yet(client, settings):
    queued(settings.outputs, "sweeps/waiting", "sweep")
    found = client.get("/api/searches/waiting").json()
    assert (found["status"], found["leaderboard"], found["history"], found["champion"]) == ("queued", [], [], None)
    assert found["objectives"] == {}


def test_a_ranking_tells_its_rows(client, settings):
    folder = ranking_folder(settings.outputs)
    found = client.get(f"/api/rankings/{folder.name}").json()
    assert found["ranking"]["metrics"] == ["auc", "f1"]
    first, second, third = found["ranking"]["rows"]
    assert [row["rule"] for row in (first, second, third)] == [False, False, True]
    assert (first["row"], first["model"], first["override"], second["baseline"]) == (1, "mlp", "network=mlp", True)
    assert first["scores"]["auc"]["mean"] == pytest.approx(0.85)
    assert names(client.get("/api/rankings?experiment=sensors")) == [f"rankings/{folder.name}"]
    assert "<h1>" in client.get(f"/api/runs/rankings/{folder.name}/report").text
    (folder / "ranking.json").write_text("{")
    assert client.get(f"/api/rankings/{folder.name}").status_code == 409
    assert names(client.get("/api/runs?kind=ranking&status=damaged")) == [f"rankings/{folder.name}"]


def test_a_row_is_kept_by_a_job_under_a_name_that_is_free(client, settings):
    folder = ranking_folder(settings.outputs)
    client.patch("/api/queue", json={"paused": True})
    (settings.registry / "Taken" / "1").mkdir(parents=True)
    rows = f"/api/rankings/{folder.name}/rows"
    answer = client.post(f"{rows}/2/keep", json={"name": "pump", "note": "--wins"})
    assert answer.status_code == 201
    job = client.get(answer.headers["location"]).json()
    assert (job["kind"], job["state"], job["experiment"]) == ("keep", "queued", "sensors")
    assert job["folder"].startswith("runs/sensors/")
    command = client.app.state.services.queue.job(job["id"]).job.command
    assert command[:3] == ("models", "save", str(folder))
    assert {"--row=2", "--name=pump", "--note=--wins", f"--registry={settings.registry}"} <= set(command)
    assert names(client.get("/api/runs?status=queued")) == [job["folder"].removeprefix("runs/")]
    assert "is a rule" in client.post(f"{rows}/3/keep", json={"name": "x"}).json()["detail"]
    again = client.post(f"{rows}/1/keep", json={"name": "Taken", "as_version": True})
    assert "--exist=version" in client.app.state.services.queue.job(again.json()["id"]).job.command
    for row, body, status in ((4, {"name": "x"}, 422), (1, {"name": "../x"}, 422), (1, {"name": "taken"}, 409),
                              (1, {}, 422), (0, {"name": "x"}, 422)):  # fmt: skip
        assert client.post(f"{rows}/{row}/keep", json=body).status_code == status
    assert client.post("/api/rankings/absent/rows/1/keep", json={"name": "x"}).status_code == 404


def test_a_run_that_cannot_be_kept_is_told_and_nothing_is_kept(client, settings, outputs):
    (settings.registry / "Taken" / "1").mkdir(parents=True)
    (settings.outputs / "runs" / "sensors" / "two" / "checkpoints").mkdir()
    (settings.outputs / "runs" / "sensors" / "two" / "checkpoints" / "last.ckpt").touch()
    for path, name, status, key in (("sensors/two", "../x", 422, "name"), ("sensors/two", "taken", 409, "name"),
                                    ("sensors/two", "x", 422, "run"), ("stocks/bad", "x", 422, "run")):  # fmt: skip
        answer = client.post(f"/api/runs/{path}/keep", json={"name": name})
        assert (answer.status_code, answer.json()["errors"][0]["key"]) == (status, key)
        assert str(settings.outputs) not in answer.text
    assert client.post("/api/runs/absent/keep", json={"name": "x"}).status_code == 404
    assert [each["name"] for each in client.get("/api/models").json()["items"]] == ["Taken"]


def test_a_trial_of_a_search_is_a_run_that_can_be_opened_and_nothing_else_within_is(client, settings, outputs):
    trial = run_folder(settings.outputs, "trial").rename(search_folder(settings.outputs) / "trial_0001")
    found = client.get("/api/runs/sweeps/sensors-tpe/trial_0001").json()
    assert (found["kind"], found["metrics"]["test/auc"]) == ("run", 0.9)
    assert client.get("/api/runs/sweeps/sensors-tpe/trial_0001/metrics").json()["columns"]["epoch"] == [0.0, 1.0]
    (trial / "out").symlink_to(settings.outputs.parent)
    for path in (
        "trial_0002",
        "a" * 300,
        "a\0b",
        "figures",
        "trial_0001/out/outputs/runs/sensors/two",
        "trial_0001/../../../runs/sensors/two",
    ):
        assert client.get(f"/api/runs/sweeps/sensors-tpe/{quote(path, safe='')}").status_code == 404


def test_keeping_cannot_be_asked_for_with_paths_of_ones_own(client):
    options = {"ranking": "/etc", "row": 1, "name": "x", "registry": "/tmp"}
    answer = client.post("/api/jobs", json={"kind": "keep", "experiment": "sensors", "options": options})
    assert (answer.status_code, answer.json()["errors"][0]["key"]) == (422, "kind")
