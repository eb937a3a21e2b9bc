"""Copies of rows do not pass from training to test, and a gap that training never had moves no prediction."""

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import quiet_trainer
from sklearn.metrics import roc_auc_score

from fulmen.errors import FulmenError
from fulmen.workloads.sensors import baselines
from fulmen.workloads.sensors.data import SensorData
from fulmen.workloads.sensors.input_format import schema
from fulmen.workloads.sensors.module import SensorClassifier
from fulmen.workloads.sensors.networks.encoder import Inputs
from fulmen.workloads.sensors.networks.tabular import MLP
from fulmen.workloads.sensors.splits import Splitting
from tests.workloads.sensors.strangers import READINGS, known

INDEPENDENT = {"group": None, "time": None, "numeric": READINGS}


def ready(table, folder, **options):
    path = folder / f"{len(list(folder.iterdir()))}.csv"
    table.to_csv(path, index=False)
    data = SensorData(csv=str(path), cache=str(folder / "cache"), **options)
    data.setup()
    return data


@pytest.fixture
def noisy():
    """720 rows of a plant whose readings tell an event from rest four times out of five."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(720, 3))
    event = rng.random(720) < 1 / (1 + np.exp(2.5 - 2 * x[:, 0] - x[:, 1]))
    return pd.DataFrame(x.round(4), columns=READINGS).assign(maintenance=event.astype(int))


def forest(data):
    predict = baselines.fit("random forest", data.splits["train"], [], 2)
    return roc_auc_score(data.splits["test"]["target"], predict(data.splits["test"])[:, 1])


@pytest.mark.filterwarnings("ignore")
def test_a_table_three_times_over_scores_as_the_table_does(noisy, tmp_path):
    thrice = pd.concat([noisy] * 3)
    once, three = (
        np.mean([forest(ready(table, tmp_path, **INDEPENDENT, fold=fold, ranges={})) for fold in range(3)])
        for table in (noisy, thrice)
    )
    assert three == pytest.approx(once, abs=0.03)
    target, shuffled = thrice.maintenance.to_numpy(), np.arange(2160)
    apart = Splitting("random").rows(target, shuffled, shuffled.astype(float))
    x = thrice[READINGS].to_numpy()
    predict = baselines.BASELINES["random forest"]().fit(x[apart["train"]], target[apart["train"]]).predict_proba
    assert roc_auc_score(target[apart["test"]], predict(x[apart["test"]])[:, 1]) > 0.97  # what it would be otherwise


@pytest.mark.parametrize("fold", range(5))
def test_no_copy_is_in_two_splits_of_any_fold(noisy, tmp_path, fold):
    thrice = pd.concat([noisy, noisy.sample(frac=1, random_state=2), noisy[:100]])
    with pytest.warns(UserWarning, match="820 of 1,540 rows are copies of another row in every column used .720 are"):
        data = ready(thrice, tmp_path, **INDEPENDENT, fold=fold)
    rows = [{tuple(row) for row in part["x"].tolist()} for part in data.splits.values()]
    assert sum(map(len, rows)) == len(set.union(*rows)) == 720
    assert sum(len(part["x"]) for part in data.splits.values()) == 1540


def test_without_copies_the_split_is_what_it_was():
    target, numbers = np.arange(200) % 3 // 2, np.arange(200)
    plain = Splitting("random").rows(target, numbers, numbers)
    told = Splitting("random").rows(target, numbers, numbers, copies=numbers)
    assert all(np.array_equal(plain[name], told[name]) for name in plain)


def test_machines_with_the_same_readings_stay_together_and_are_named(tmp_path):
    table = known()
    twin = table[table.machine == "M-02"].assign(machine="M-09")
    for fold in range(4):
        with pytest.warns(UserWarning, match="M-02, M-09 have the same readings in all 60 rows of each"):
            data = ready(pd.concat([table, twin]), tmp_path, folds=4, fold=fold)
        for part in data.splits.values():
            there = {data.groups[i] for i in part["group"].tolist()}
            assert len(there & {"M-02", "M-09"}) in (0, 2)


@pytest.mark.filterwarnings("ignore")
def test_a_row_said_again_wholly_is_left_out_and_one_that_differs_is_refused(tmp_path):
    table = known()
    data = ready(pd.concat([table, table[:50]]), tmp_path, folds=4)
    assert sum(len(part["x"]) for part in data.splits.values()) == 240
    assert "50 of 290 rows that say again" in data.taken[0].dropped[0]
    with pytest.raises(FulmenError, match=r"row 242, column time: machine M-00 has a reading at this time already, in"):
        ready(pd.concat([table, table[:50].assign(light_lux=1.5)]), tmp_path, folds=4)


@pytest.fixture
def trained(tmp_path):
    """A network that never saw a gap, the schema of its data, and a row of them that it is sure of."""
    table = known().dropna()
    table["vibration_mm_s"] += 2 * table.maintenance
    data = ready(table, tmp_path, folds=4)
    torch.manual_seed(0)
    module = SensorClassifier(MLP(Inputs(data.features.columns.numeric, bins=4), width=16))
    quiet_trainer(max_epochs=3).fit(module, data)
    row = table.iloc[5].to_dict()
    return module.eval(), schema(data), {name: row[name] for name in (*READINGS, "time")}


def p(module, described, record):
    inputs = module.read_records([record], described)
    with torch.no_grad():
        return float(module.predict_step(inputs.batch)["probability"][0, 1]), inputs.warnings


def test_a_gap_that_training_never_had_is_predicted_as_the_median_and_told(trained):
    module, described, record = trained
    median = described["filled"]["light_lux"]
    filled, quiet = p(module, described, record | {"light_lux": median})
    empty, told = p(module, described, record | {"light_lux": None})
    assert empty == filled
    assert quiet == []
    assert told == [
        f"light_lux is missing in 1 of 1 row (row 0); in training it never was: its training median, {median:.4g}, "
        f"stands there"
    ]


def test_a_model_kept_before_predicts_as_before_and_tells_of_the_gap_too(trained):
    module, described, record = trained
    old = {key: value for key, value in described.items() if key != "filled"}
    _, told = p(module, old, record | {"light_lux": None})
    assert told == ["light_lux is missing in 1 of 1 row (row 0); in training it never was"]
    inputs = module.read_records([record | {"light_lux": None}], old)
    assert torch.isnan(inputs.batch["x"]).sum() == 1


def test_a_column_that_is_empty_in_a_whole_file_is_told_though_training_had_gaps(trained, tmp_path):
    module, described, _ = trained
    path = tmp_path / "new.csv"
    known().assign(light_lux="").to_csv(path, index=False)
    said = module.read_file(path, described).warnings
    assert any("light_lux is empty in all 240 rows; in training it never was" in each for each in said)
    share = next(column for column in described["columns"] if column["name"] == "light_lux")["bins"]["shares"]
    share[-1] = 0.05
    said = module.read_file(path, {**described, "filled": {}}).warnings
    assert any("light_lux is empty in all 240 rows; in training it was in 5.0% of them" in each for each in said)


def test_a_file_to_predict_for_is_read_as_it_comes_or_as_typed(trained, tmp_path):
    module, described, _ = trained
    path, table = tmp_path / "new.csv", known().drop(columns="maintenance")
    table.to_csv(path, index=False)
    expected = module.read_file(path, described).batch["x"]
    renamed = table.rename(columns={"temperature_c": "Temp", "time": "Date"})
    renamed.to_csv(path, index=False, sep=";", decimal=",")
    with pytest.raises(FulmenError, match="is it Temp as temperature_c, Date as time"):
        module.read_file(path, described)
    inputs = module.read_file(path, described, columns="{temperature_c: Temp, time: Date}", decimal="comma")
    assert torch.equal(inputs.batch["x"].nan_to_num(), expected.nan_to_num())
    with pytest.raises(FulmenError, match="decimal is 'comm'; did you mean comma"):
        module.read_file(path, described, decimal="comm")
