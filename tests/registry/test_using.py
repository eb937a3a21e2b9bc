"""From a run to predictions for a file: what the run itself predicted for its test split, to 1e-6."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

import fulmen
from fulmen.cli import main
from fulmen.config.check import check_overrides
from fulmen.errors import FulmenError
from fulmen.registry import explain, export, list_models, predict, save_run, verify
from fulmen.runs.run import run
from fulmen.utils.precision import in_precision
from fulmen.workloads.stocks.arrays import series_from

QUIET = ["callbacks.progress=null", "callbacks.summary=null", "logger.tensorboard=null", "trainer.max_epochs=1"]
PBPK = ["experiment=pbpk_gnn", "data.compounds=24", "data.validation_compounds=4", "data.test_compounds=4",
        "data.time_points=20", "model.network.hidden=8", "model.figures=false"]  # fmt: skip
STOCKS = [
    "experiment=stocks_fast",
    "data.days=450",
    "data.lookback_days=20",
    "data.horizon_days=3",
    "network=01_lstm_classic",
]


pytestmark = pytest.mark.filterwarnings("ignore:.*the range in training")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Run folders of both workloads, each with a file that holds its data."""
    folder = tmp_path_factory.mktemp("runs")
    for name, typed in {"pbpk": PBPK, "stocks": STOCKS}.items():
        typed = [*typed, *QUIET, f"output_dir={folder / name}"]
        run(check_overrides(typed), typed)
    fulmen.load_run(folder / "pbpk").data.export(folder / "subjects.npz")
    series = series_from(fulmen.load_run(folder / "stocks").data._arrays())[0]
    table = {"Date": series.day.astype("datetime64[D]"), "Ticker": series.ticker}
    table |= {name.capitalize(): getattr(series, name) for name in ("open", "high", "low", "close", "volume")}
    pd.DataFrame(table).to_csv(folder / "prices.csv", index=False)
    return folder


@pytest.fixture
def kept(trained):
    """Both saved, with an alias."""
    for name in ("pbpk", "stocks"):
        version = save_run(trained / name, name, note="kept")
        main(["models", "promote", str(version), "--as", "champion"])
    return trained


def own_predictions(folder):
    """What the run says of its test split, in its precision, in the order of the test split."""
    finished = fulmen.load_run(folder)
    test = finished.data.splits["test"]
    with torch.no_grad(), in_precision(finished.result["cost"]["precision"]):
        return test, finished.model.predict_step(finished.data.on_after_batch_transfer(test, 0))


@pytest.mark.slow
@pytest.mark.usefixtures("warm_start")
def test_a_fresh_process_predicts_what_the_run_predicted(kept, tmp_path):
    for name, file in {"pbpk": "subjects.npz", "stocks": "prices.csv"}.items():
        out = tmp_path / f"{name}.csv"
        command = [sys.executable, "-m", "fulmen.cli", "predict", f"{name}@champion", str(kept / file), "-o", str(out)]
        subprocess.run(command, check=True, capture_output=True)
        table = pd.read_csv(out)
        test, own = own_predictions(kept / name)
        if name == "pbpk":
            there = table["concentration_mg_per_l"].to_numpy().reshape(-1, 14, 19)[test["subject"]]
            expected = own["concentration_mg_per_l"].numpy()
            assert np.abs(there - expected).max() < 1e-6 * max(1, np.abs(expected).max())
        else:
            days = test["day"].numpy().astype("datetime64[D]").astype(str)
            rows = table[table["day"].isin(days)]
            for column in ("log_return", "price", "low_80", "high_80", "low_95", "high_95"):
                expected = own[column].numpy().ravel()
                assert np.allclose(rows[column], expected, rtol=1e-6, atol=1e-6), column


def test_forecasts_go_beyond_the_last_day_and_a_longer_file_does_not_change_them(kept, tmp_path):
    prices = pd.read_csv(kept / "prices.csv")
    whole = predict("stocks@champion", kept / "prices.csv")
    assert str(whole["day"].iloc[-1].date()) == prices["Date"].iloc[-1]
    assert whole["horizon"].tail(3).tolist() == [1, 2, 3]
    prices.iloc[:-5, ::-1].assign(extra=1).to_csv(tmp_path / "prices.csv", index=False)  # other order, one more column
    shorter = predict("stocks@champion", tmp_path / "prices.csv")
    pd.testing.assert_frame_equal(whole.iloc[: len(shorter)], shorter, rtol=1e-6)
    two = pd.concat([prices, prices.assign(Ticker="B")])
    two.to_csv(tmp_path / "two.csv", index=False)
    assert predict("stocks", tmp_path / "two.csv")["ticker"].unique().tolist() == ["SIM0", "B"]


def test_prices_of_another_style_are_predicted_for_as_they_are(kept, tmp_path):
    prices = pd.read_csv(kept / "prices.csv")
    plain = predict("stocks", kept / "prices.csv")
    prices.to_csv(tmp_path / "prices.csv.gz", index=False)
    prices.iloc[::-1].to_excel(tmp_path / "prices.xlsx", index=False)
    prices.rename(columns={"Close": "Last"}).to_csv(tmp_path / "prices.txt", index=False, sep=";", decimal=",")
    for name, typed in {"prices.csv.gz": [], "prices.xlsx": [], "prices.txt": ["data.columns={close: Last}"]}.items():
        table = predict("stocks", tmp_path / name, overrides=typed)
        pd.testing.assert_frame_equal(table, plain, check_dtype=False)


def test_one_subject_is_predicted_as_among_others(kept, tmp_path):
    whole = predict("pbpk", kept / "subjects.npz")
    with np.load(kept / "subjects.npz") as file:
        arrays = dict(file)
    drop = ("concentration_mg_per_l", "time_h", "kinetics")
    subjects = len(arrays["weight_kg"])
    for i in (0, 7, 23):
        one = {k: v[i : i + 1] if v.shape[:1] == (subjects,) else v for k, v in arrays.items() if k not in drop}
        np.savez(tmp_path / "one.npz", **one)
        alone = predict("pbpk", tmp_path / "one.npz")["concentration_mg_per_l"].to_numpy()
        together = whole.loc[whole["subject"] == i, "concentration_mg_per_l"].to_numpy()
        assert np.abs(alone - together).max() < 1e-6 * max(1, together.max())


def test_what_was_kept_says_where_it_comes_from(kept, capsys):
    facts = fulmen.registry.show("stocks@champion")
    assert facts["data_fingerprint"] == fulmen.load_run(kept / "stocks").data.fingerprint
    assert facts["metrics"] == fulmen.load_run(kept / "stocks").result["metrics"]
    assert set(facts["baselines"]) == {"persistence", "drift", "historical mean", "seasonal", "one lag", "ridge"}
    assert facts["seed"] == 42
    assert facts["split"]["samples"].keys() == {"train", "validation", "test"}
    assert [row["model"] for row in list_models()] == ["pbpk:1", "stocks:1"]
    assert [row["state"] for row in verify()] == ["", ""]
    assert main(["models", "show", "stocks@champion"]) == 0
    assert main(["predict", "pbpk", "--explain"]) == 0
    assert "weight_kg" in capsys.readouterr().out
    assert {"range", "unit", "dtype", "missing"} <= explain("pbpk")["arrays"][0].keys()


BAD_PRICES = {
    "no column Close; is it Closing as Close": lambda t: t.rename(columns={"Close": "Closing"}),
    "line 5, column Volume: 'many' is no number": lambda t: t.astype({"Volume": object}).replace(
        {"Volume": {t.Volume[3]: "many"}}
    ),
    "line 3, column Low: -1; it must be above 0": lambda t: t.assign(Low=[t.Low[0], -1, *t.Low[2:]]),
    "line 4, column Close: is empty": lambda t: t.assign(Close=[*t.Close[:2], None, *t.Close[3:]]),
    "oldest first": lambda t: t.iloc[[0, 2, 1, *range(3, len(t))]],
    "pence for pounds": lambda t: t.assign(
        **{name: t[name] * np.where(t.index < 300, 1, 100) for name in ("Open", "High", "Low", "Close")}
    ),
    "30 days are too few.*give at least 40 days": lambda t: t.iloc[:30],
}


@pytest.mark.parametrize("said", BAD_PRICES)
def test_bad_prices_are_named_by_line_and_column(kept, tmp_path, said, capsys):
    BAD_PRICES[said](pd.read_csv(kept / "prices.csv")).to_csv(tmp_path / "bad.csv", index=False)
    with pytest.raises(FulmenError, match=said):
        predict("stocks", tmp_path / "bad.csv")
    assert main(["predict", "stocks", str(tmp_path / "bad.csv"), "-o", str(tmp_path / "out.csv")]) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "out.csv").exists()


BAD_SUBJECTS = {
    "the array kp is missing": lambda a: {k: v for k, v in a.items() if k != "kp"},
    "weight_kg, subject 2: -5": lambda a: a | {"weight_kg": np.r_[a["weight_kg"][:2], -5, a["weight_kg"][3:]]},
    "subject 0: .*; it must be the cardiac output": lambda a: a | {"organ": a["organ"][::-1]},  # of other organs
    "dose_mg holds <U1, expected numbers": lambda a: a | {"dose_mg": np.array(["x"] * len(a["dose_mg"]))},
    "its subjects have linear kinetics": lambda a: a | {"kinetics": np.array("linear")},
    "has to hold increasing times": lambda a: {k: v for k, v in a.items() if "conc" not in k} | {"time_h": np.ones(9)},
    "fraction_unbound, subject 0: 30": lambda a: a | {"fraction_unbound": 30 * np.ones_like(a["dose_mg"])},  # per cent
}


@pytest.mark.parametrize("said", BAD_SUBJECTS)
def test_bad_subjects_are_named_by_array_and_subject(kept, tmp_path, said):
    with np.load(kept / "subjects.npz") as file:
        np.savez(tmp_path / "bad.npz", **BAD_SUBJECTS[said](dict(file)))
    with pytest.raises(FulmenError, match=said):
        predict("pbpk", tmp_path / "bad.npz")


def test_values_outside_the_training_range_are_warned_of_with_the_range(kept, tmp_path, capsys):
    with np.load(kept / "subjects.npz") as file:
        arrays = dict(file)
    arrays["dose_mg"] = 1e6 * arrays["dose_mg"]  # in ng
    np.savez(tmp_path / "ng.npz", **arrays)
    assert main(["predict", "pbpk", str(tmp_path / "ng.npz"), "-o", str(tmp_path / "out.csv")]) == 0
    said = capsys.readouterr().err
    assert "warning: dose_mg is " in said
    assert "the range in training (24 of 24 subjects are outside)" in said
    jump = pd.read_csv(kept / "prices.csv")
    jump.loc[300:, ["Open", "High", "Low", "Close"]] *= 4
    jump.to_csv(tmp_path / "jump.csv", index=False)
    with pytest.warns(UserWarning, match=r"SIM0: return is 1\.\d+ on 20\d\d-\d\d-\d\d, outside -0"):
        predict("stocks", tmp_path / "jump.csv")


MISTAKES = [
    "predict pump x.csv", "predict stocks nowhere.csv", "predict stocks:9 x", "predict stocks@best x", "predict stocks",
    "models show stocks:9", "models delete stocks", "models delete stocks 1", "models promote stocks 2 --as best",
    "models promote stocks --as 7", "models promote stocks --as champion --expect 4", "models save nowhere --name x",
    "models verify pump", "models export stocks --to x.pt",
]  # fmt: skip


@pytest.mark.parametrize("typed", MISTAKES)
def test_mistakes_are_one_line_and_leave_the_registry_as_it_was(kept, typed, capsys):
    before = list_models()
    assert main(typed.split()) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: ")
    assert said.err.count("\n") == 1
    assert list_models() == before


def test_a_name_in_use_or_a_run_that_is_none_is_refused(kept, tmp_path):
    with pytest.raises(FulmenError, match="the name stocks is in use"):
        save_run(kept / "stocks", "stocks", exist="error")
    with pytest.raises(FulmenError, match="is no run folder"):
        save_run(tmp_path, "x")
    assert [row["model"] for row in list_models()] == ["pbpk:1", "stocks:1"]


def test_a_workload_without_an_input_format_says_so(kept, monkeypatch):
    from fulmen.workloads.stocks.module import StockForecaster

    monkeypatch.delattr(StockForecaster, "input_schema")
    version = save_run(kept / "stocks", "mute")
    with pytest.raises(FulmenError, match=r"mute:1: the workload stocks describes no input file"):
        predict("mute", kept / "prices.csv")
    assert type(fulmen.load_model("mute")).__name__ == "StockForecaster"
    assert version.manifest["input_schema"] is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pbpk", "stocks"])
def test_an_exported_program_takes_any_number_of_samples(kept, name, tmp_path):
    from fulmen.registry.bundle import Bundle
    from fulmen.registry.examples import compare, predictions
    from fulmen.registry.store import Store

    program = torch.export.load(export(name, tmp_path / "model.pt2")).module()
    bundle = Bundle(Store().find(name))
    inputs, _ = bundle.example
    one = {k: v[:1] if k in bundle.manifest["probe"]["per_sample"] else v for k, v in inputs.items()}
    with torch.no_grad():
        said = program(one)
    expected = predictions(bundle.model(), one)
    assert compare(said, {name: expected[name] for name in said}, "the program") <= 1


def test_onnx_without_its_libraries_names_them(kept, tmp_path, monkeypatch):
    monkeypatch.setattr("fulmen.registry.exporting.find_spec", lambda name: None)
    with pytest.raises(
        FulmenError, match=r"needs onnx, onnxscript, onnxruntime; install them with: pip install onnx onnxscript"
    ):
        export("stocks", tmp_path / "x.onnx")
