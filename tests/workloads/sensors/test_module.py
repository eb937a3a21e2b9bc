"""A trained classifier: its threshold, its report, its use on files."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import quiet_trainer
from sklearn.metrics import log_loss, roc_auc_score

from fulmen.callbacks.outputs import predict_test
from fulmen.errors import FulmenError
from fulmen.workloads.sensors.data import SensorData
from fulmen.workloads.sensors.evaluate import MACHINES, too_good
from fulmen.workloads.sensors.leakage import auc_difference_se, auc_margin
from fulmen.workloads.sensors.metrics import choose_threshold, scores
from fulmen.workloads.sensors.module import SensorClassifier
from fulmen.workloads.sensors.networks.encoder import Inputs
from fulmen.workloads.sensors.networks.tabular import MLP


@pytest.fixture(scope="module")
def trained():
    return train()


def train(**options):
    data = SensorData(machines=8, days=20, seed=3, folds=4, **options)
    torch.manual_seed(0)
    features = data.features
    inputs = Inputs(features.columns.numeric, wear=features.wear, windows=features.windows, bins=0)
    module = SensorClassifier(MLP(inputs, layers=1, width=16))
    quiet_trainer(max_epochs=3).fit(module, data)
    return module.eval(), data


@pytest.fixture(scope="module")
def reported(trained, tmp_path_factory):
    """The summary of the trained module, and the folder of its figures."""
    module, data = trained
    folder = tmp_path_factory.mktemp("figures")
    return module.summarize(predict_test(module, data), data, folder), folder


def test_the_threshold_is_chosen_on_the_validation_part(trained):
    module, data = trained
    part = data.splits["validation"]
    with torch.no_grad():
        p = module.predict_step(part)["probability"][:, 1]
    assert float(module.threshold) == pytest.approx(choose_threshold(part["target"].numpy(), p.numpy()), abs=1e-5)


def test_the_summary_stands_beside_baselines_and_ceiling_and_holds_every_item(trained, reported):
    data, (summary, folder) = trained[1], reported
    rows = next(iter(summary.tables.values()))
    assert [row[""] for row in rows] == [
        "network", "logistic regression", "random forest", "gradient boosting", "class shares", "ceiling"
    ]  # fmt: skip
    test = data.splits["test"]
    assert np.array_equal(summary.items["item"], test["row"].numpy())
    assert summary.items["loss"].mean() == pytest.approx(summary.metrics["log_loss"], rel=1e-4)
    assert summary.items["probability"].shape == (len(test["target"]), 2)
    assert [file for file in summary.figures.values() if not (folder / file).stat().st_size] == []


def test_items_of_the_validation_split_are_those_of_the_weights_beside_the_shares_of_the_classes(trained):
    """Their loss is sklearn's, and the constant's is the entropy of the shares in training on these rows."""
    module, data = trained
    part = data.splits["validation"]
    items = module.validation_items(data)
    with torch.no_grad():
        p = module.predict_step(part)["probability"].double().numpy()
    target, share = part["target"].numpy(), data.splits["train"]["target"].double().mean().item()
    assert items["loss"].mean() == pytest.approx(log_loss(target, p / p.sum(1, keepdims=True)), rel=1e-5)
    constant = items["baseline/class shares"]
    assert constant == pytest.approx(np.where(target == 1, -np.log(share), -np.log(1 - share)))
    assert np.array_equal(items["item"], part["row"].numpy())


def test_the_verdict_of_a_report_counts_the_machines_of_the_data(trained, reported):
    """Rows of a machine resemble each other; events and machines say how much a score of many rows can tell."""
    data, (summary, _) = trained[1], reported
    test = data.splits["test"]
    machines, events = len(np.unique(test["group"])), int(test["target"].sum())
    assert machines == 2
    title = next(iter(summary.tables))
    assert title.startswith(f"Too few for a verdict: the test split has {machines} machines, and 4 are the fewest")
    assert summary.verdict.units == machines
    assert f"{len(test['target'])} rows with {events} events of 2 machines never seen" in title


def test_few_events_of_two_machines_show_no_leakage_and_no_known_ceiling():
    data = SensorData(machines=8, days=15, folds=4)
    data.setup()
    target = data.splits["test"]["target"].numpy()
    assert target.sum() < 10
    perfect = np.stack([1 - target, target], 1).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert too_good(perfect, data, scores(target, perfect)) == []


def test_what_two_machines_share_by_accident_is_no_leakage():
    """Both machines favour the one score by the same: resampling machines alone sees no spread at all."""
    rng = np.random.default_rng(0)
    target, noise = np.tile(np.arange(100) < 12, 2).astype(int), np.tile(rng.normal(size=100), 2)
    lucky, best = target + 1.5 * noise, target + 1.4 * np.roll(noise, 1)
    machine = np.repeat([0, 1], 100)
    gain = roc_auc_score(target, lucky) - roc_auc_score(target, best)
    assert auc_difference_se(target, lucky, best, machine) == pytest.approx(0, abs=1e-12)
    assert 0 < gain < auc_margin(target, lucky, best, machine)


def test_a_score_above_the_known_ceiling_is_a_leakage_warning(trained, tmp_path, monkeypatch):
    module, data = trained
    monkeypatch.setattr(module, "figures", False)
    data.known_ceiling = {"pr_auc": 0.01}
    try:
        with pytest.warns(UserWarning, match=r"leakage: pr_auc is .* above the known ceiling of 0.0100"):
            warned = module.summarize(predict_test(module, data), data, tmp_path).warnings
    finally:
        data.known_ceiling = {}
    assert warned[0].startswith("leakage")


@pytest.mark.slow
def test_a_perfect_ranking_of_the_plant_is_a_leakage_warning_and_the_ceiling_itself_is_none():
    data = SensorData(seed=0)
    data.setup()
    target = data.splits["test"]["target"].numpy()
    perfect = np.stack([1 - target, target], 1).astype(float)
    with pytest.warns(UserWarning, match="leakage: roc_auc is 1.0000, above the known ceiling"):
        too_good(perfect, data, scores(target, perfect))
    best = np.stack([1 - data.bayes, data.bayes], 1)
    assert too_good(best, data, scores(target, best)) == []


def test_windows_of_a_file_are_those_of_training(tmp_path):
    """The daily cycle that was fitted then travels in the schema."""
    module, data = train(windows=["mean_24h", "rise_24h", "since_fall"])
    data.export(tmp_path / "in.csv")
    schema = json.loads(json.dumps(module.input_schema(data)))
    made = module.predict_file(tmp_path / "in.csv", schema).set_index("row")
    part = data.splits["test"]
    with torch.no_grad():
        p = module.predict_step(part)["probability"][:, 1].numpy()
    assert np.allclose(made.loc[part["row"].numpy() + 1, "p(1)"], p, atol=1e-5)


def test_the_report_names_the_machines_in_need_and_what_the_columns_are_worth(trained, reported):
    data, (summary, _) = trained[1], reported
    main, machines, worth, _ = summary.tables.values()
    assert main[0]["(chance)"] == pytest.approx(float(data.splits["test"]["target"].double().mean()))
    assert [list(summary.tables)[1]] == summary.shown
    assert len(machines) == 8
    assert {row[""] for row in worth} == {"light_lux", "temperature_c", "vibration_mm_s", "time of day"}


def test_a_report_of_permuted_labels_says_so_and_advises_nothing(trained, monkeypatch, tmp_path):
    module, data = trained
    monkeypatch.setattr(module, "figures", False)
    monkeypatch.setattr(data, "permute_labels", True)
    summary = module.summarize(predict_test(module, data), data, tmp_path)
    assert summary.answer.startswith("The labels are permuted (data.permute_labels=true)")
    assert summary.verdict.as_dict()["sentence"] == summary.answer
    assert next(iter(summary.tables)).startswith("The labels are permuted")
    assert MACHINES not in summary.tables


@pytest.fixture
def table(trained, tmp_path):
    trained[1].export(tmp_path / "all.csv")
    return pd.read_csv(tmp_path / "all.csv").drop(columns="maintenance")


def test_a_file_is_predicted_as_the_data_are_in_any_order_of_columns(trained, table, tmp_path):
    module, data = trained
    table[[*reversed(table.columns)]].assign(comment="x").to_csv(tmp_path / "in.csv", index=False)
    made = module.predict_file(tmp_path / "in.csv", module.input_schema(data))
    part = data.splits["test"]
    with torch.no_grad():
        p = module.predict_step(part)["probability"][:, 1].numpy()
    rows = made.set_index("row").loc[part["row"].numpy() + 1]  # line 1 is the header
    assert np.allclose(rows["p(1)"], p, atol=1e-5)
    assert rows["machine"].tolist() == table["machine"].iloc[part["row"].numpy() - 1].tolist()
    assert (rows["decision"] == np.where(rows["p(1)"] >= float(module.threshold), "1", "0")).all()


def test_the_schema_names_units_and_ranges(trained):
    module, data = trained
    columns = {column["name"]: column for column in module.input_schema(data)["columns"]}
    assert [columns[name]["unit"] for name in ("light_lux", "temperature_c", "vibration_mm_s")] == ["lux", "°C", "mm/s"]
    low, high = columns["vibration_mm_s"]["range"]
    assert 0 < low < high
    assert set(columns) == {"light_lux", "temperature_c", "vibration_mm_s", "time"}


def test_a_file_that_does_not_fit_is_one_line_and_one_out_of_range_a_warning(trained, table, tmp_path):
    module, data = trained
    path, schema = tmp_path / "in.csv", module.input_schema(data)
    table.drop(columns="light_lux").to_csv(path, index=False)
    with pytest.raises(FulmenError, match=r"in\.csv: no column light_lux"):
        module.predict_file(path, schema)
    table.assign(light_lux=table.light_lux.astype(object).where(table.index != 3, "dark")).to_csv(path, index=False)
    with pytest.raises(FulmenError, match="row 5, column light_lux: 'dark' is no number"):
        module.predict_file(path, schema)
    table.assign(light_lux=table.light_lux / 1000).to_csv(path, index=False)
    with pytest.warns(UserWarning, match="column light_lux: .* outside the range seen in training"):
        module.predict_file(path, schema)
