"""The mean of several runs is a run: it says what the mean of them says, is tested, kept, compared and used."""

import json

import pytest
import torch

import fulmen
from fulmen.callbacks.outputs import predict_test
from fulmen.cli import main
from fulmen.config.check import check_overrides
from fulmen.errors import FulmenError
from fulmen.registry.models import verify
from fulmen.registry.save import save_run
from fulmen.runs.ensemble import ensemble
from fulmen.runs.run import run

QUIET = ["model.figures=false", "callbacks.progress=null", "callbacks.summary=null", "logger.tensorboard=null",
         "trainer.precision=32-true", "trainer.max_epochs=1", "threads=1"]  # fmt: skip
SMALL = {
    "sensors": ["experiment=sensors", "data.machines=14", "data.days=15", "network=mlp"],
    "images": ["experiment=images_plain", "network=resnet9", "model.network.width=4"],
    "stocks": ["experiment=stocks_fast", "data.days=500", "network=04_lstm_narrow_deep"],
    "pbpk": ["experiment=pbpk_mlp", "data.compounds=40", "data.validation_compounds=8", "data.test_compounds=8",
             "data.time_points=20", "data.batch_size=6", "model.network.times=19"],
}  # fmt: skip
SAID = {"sensors": "probability", "images": "log_probability", "stocks": "log_return", "pbpk": "concentration_mg_per_l"}


def trained(folder, workload, *more):
    typed = [*SMALL[workload], *QUIET, *more, f"output_dir={folder}"]
    return run(check_overrides(typed), typed).folder


@pytest.fixture(scope="module", params=SMALL)
def averaged(request, tmp_path_factory):
    """Name of a workload, the runs of three seeds on the same data, and the folder of their ensemble."""
    place = tmp_path_factory.mktemp(request.param)
    own = ["data.seed=1", "test=false"]
    runs = [trained(place / f"seed_{seed}", request.param, f"seed={seed}", *own) for seed in (1, 2, 3)]
    for each in runs:  # the ensemble takes over whether it is tested
        text = (each / "config.yaml").read_text()
        (each / "config.yaml").write_text(text.replace("test: false\n", "test: true\n"))
    return request.param, runs, ensemble(runs, place / "ensemble").folder


@pytest.mark.slow
def test_what_it_says_is_the_mean_of_what_its_members_say(averaged):
    workload, folders, folder = averaged
    each = [fulmen.load_run(one) for one in folders]
    said = [predict_test(one.model, one.data)[SAID[workload]].double() for one in each]
    mean = torch.stack([one.exp() if workload == "images" else one for one in said]).mean(0)
    whole = fulmen.load_run(folder)
    own = predict_test(whole.model, whole.data)[SAID[workload]].double()
    torch.testing.assert_close(own.exp() if workload == "images" else own, mean, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_it_is_tested_kept_and_used_as_any_run(averaged, tmp_path):
    folder = averaged[2]
    result = json.loads((folder / "result.json").read_text())
    assert result["status"] == "completed"
    assert [name for name in result["metrics"] if name.startswith("test/")]
    assert result["baselines"]
    assert (folder / "report.html").exists()
    version = save_run(folder, "mean", registry=tmp_path)
    assert [row["state"] for row in verify(version, registry=tmp_path)] == [""]
    whole = fulmen.load_run(folder)
    assert len(whole.predict(whole.example_records()))


@pytest.mark.slow
def test_seeds_with_ensemble_have_one_model_more_on_the_same_data(tmp_path):
    folder = trained(tmp_path / "run", "sensors", "seeds=2", "ensemble=true", "seed=5")
    marks = {json.loads((folder / name / "environment.json").read_text())["data_fingerprint"]
             for name in ("seed_5", "seed_6", "ensemble")}  # fmt: skip
    assert len(marks) == 1
    assert "ensemble of all" in (folder / "report.md").read_text()
    weights = [fulmen.load_run(folder / name).model.state_dict() for name in ("seed_5", "seed_6")]
    assert any(not torch.equal(weights[0][name], value) for name, value in weights[1].items())


@pytest.mark.slow
def test_it_stands_beside_its_members_in_a_comparison(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = [f"sensors seed={seed}" for seed in (1, 2)]
    own = [*SMALL["sensors"][1:], *QUIET, "data.seed=1"]
    assert main(["compare", *names, *own, "--ensemble"]) == 0
    (report,) = tmp_path.glob("outputs/comparisons/*/comparison.md")
    assert "| ensemble |" in report.read_text()
    folders = sorted(str(path) for path in tmp_path.glob("outputs/runs/sensors/*") if "ensemble" not in path.name)
    assert main(["ensemble", *folders, "-o", "mean"]) == 0
    assert "ensemble of 2 runs: mean" in capsys.readouterr().out
    assert (tmp_path / "mean" / "report.html").exists()


@pytest.mark.slow
def test_members_that_have_trained_on_its_test_samples_are_no_test_of_it(tmp_path, capsys):
    runs = [trained(tmp_path / f"fold_{k}", "sensors", f"data.fold={k}", "test=false") for k in (0, 1)]
    result = ensemble(runs, tmp_path / "ensemble")
    said = capsys.readouterr().out
    assert "Not tested: " in said
    assert "too good" in said
    assert not [name for name in result.metrics if name.startswith("test/")]


def test_what_cannot_be_averaged_is_said_in_a_line(averaged, tmp_path):
    workload, folders, folder = averaged
    with pytest.raises(FulmenError, match="takes two runs or more, not 1"):
        ensemble(folders[:1], tmp_path / "one")
    with pytest.raises(FulmenError, match="is a run already"):
        ensemble(folders, folder)
    typed = [*SMALL[workload], *QUIET, "ensemble=true"]
    with pytest.raises(FulmenError, match="seeds=2"):
        check_overrides(typed)
    assert not (tmp_path / "one").exists()
