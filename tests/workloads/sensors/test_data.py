"""Splits keep what belongs together, nothing leaks into the fit, and the cache key holds all that matters."""

import sqlite3
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from helpers import differing, quiet_trainer
from sklearn.metrics import roc_auc_score

from fulmen.data.leaks.scan import scan
from fulmen.errors import FulmenError
from fulmen.workloads.sensors import baselines
from fulmen.workloads.sensors.data import SensorData
from fulmen.workloads.sensors.evaluate import _counts
from fulmen.workloads.sensors.module import SensorClassifier
from fulmen.workloads.sensors.networks.encoder import Inputs
from fulmen.workloads.sensors.networks.tabular import MLP


def ready(**options):
    data = SensorData(**options)
    data.prepare_data()
    data.setup()
    return data


def test_every_row_is_in_one_part_and_every_fold_tests_others(small):
    folds = [ready(**small, folds=4, fold=fold) for fold in range(4)]
    tested = np.concatenate([data.splits["test"]["row"].numpy() for data in folds])
    assert sorted(tested) == list(range(1, 8 * 14 * 12 + 1))
    for data in folds:
        rows = np.concatenate([part["row"].numpy() for part in data.splits.values()])
        assert len(np.unique(rows)) == len(rows) == len(tested)
        groups = [set(part["group"].tolist()) for part in data.splits.values()]
        assert sum(map(len, groups)) == len(set.union(*groups)) == 8


@pytest.mark.parametrize("split", ["group", "time", "random"])
def test_inner_folds_are_of_the_rows_that_do_not_test(small, split):
    """Whatever they choose, the outer fold can judge it: none of its rows is in them, and in a split by group none of
    its machines."""
    outer = ready(**small, split=split, fold=1, folds=3)
    rest = set(torch.cat([outer.splits[name]["row"] for name in ("train", "validation")]).tolist())
    tested = []
    for fold in range(2):
        inner = outer.inner(fold, 2)
        inner.setup()
        rows = {name: set(part["row"].tolist()) for name, part in inner.splits.items()}
        assert set.union(*rows.values()) <= rest
        assert not rows["test"] & (rows["train"] | rows["validation"])
        if split == "group":
            groups = {name: set(part["group"].tolist()) for name, part in inner.splits.items()}
            assert not groups["test"] & (
                groups["train"] | groups["validation"] | set(outer.splits["test"]["group"].tolist())
            )
        if split == "time":
            assert inner.hours["test"].max() <= outer.hours["test"].min()
        tested.append(rows["test"])
    assert not tested[0] & tested[1]
    if split != "time":
        assert set.union(*tested) == rest
    again = ready(**small, split=split, fold=1, folds=3)
    np.testing.assert_array_equal(outer.splits["test"]["x"], again.splits["test"]["x"])


def test_a_table_of_levels_alone_has_no_columns_of_numbers(tmp_path):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"colour": rng.choice(["red", "blue"], 80), "worn": rng.integers(0, 2, 80)})
    table.to_csv(tmp_path / "levels.csv", index=False)
    data = ready(csv=str(tmp_path / "levels.csv"), numeric=[], categorical={"colour": ["red", "blue"]}, target="worn",
                 group=None, time=None, wear=[], cache=str(tmp_path))  # fmt: skip
    assert data.splits["train"]["x"].shape[1] == 0
    assert data.splits["train"]["category"].shape[1] == 1


def test_a_fold_in_time_tells_the_rows_after_its_test_split_that_it_does_not_use(tmp_path):
    """Of 200 rows the last 100 are cut into five blocks, the first of which tests by default."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"when": range(200), "a": rng.normal(size=200), "fail": np.arange(200) % 2})
    table.to_csv(tmp_path / "table.csv", index=False)

    def told(**more):
        data = ready(csv=str(tmp_path / "table.csv"), numeric=["a"], target="fail", group=None, time="when",
                     wear=[], cache=str(tmp_path), **more)  # fmt: skip
        data.all_samples()
        return data, [each for each in data.taken[0].dropped if "not used" in each]

    data, said = told()
    assert data.later == 80
    assert said == ["80 of 200 rows lie after the test split of fold 0 of 5 and are not used "
                    "(data.fold=4 tests the last rows, folds=5 all folds in turn)"]  # fmt: skip
    assert "later than all others" not in _counts(data.splits["test"]["target"].numpy(), data)
    assert "80 rows after them are not used" in _counts(data.splits["test"]["target"].numpy(), data)
    data, said = told(fold=4)
    assert (data.later, said) == (0, [])
    assert _counts(data.splits["test"]["target"].numpy(), data).endswith(", later than all others")


def test_a_split_in_time_trains_on_the_past_beyond_the_windows(small):
    for fold in range(3):
        data = ready(**small, split="time", folds=3, fold=fold, windows=["mean_24h"])
        hours = {name: (part["row"].numpy() - 1) % (14 * 12) * 2 for name, part in data.splits.items()}
        assert hours["train"].max() + 24 < hours["validation"].min()
        assert hours["validation"].max() + 24 < hours["test"].min()


def test_a_random_split_keeps_the_share_of_each_class(small):
    data = ready(**small, split="random")
    shares = [float(part["target"].double().mean()) for part in data.splits.values()]
    assert max(shares) - min(shares) < 0.004


def test_independent_rows_are_split_at_random_and_others_are_not():
    assert SensorData().splitting.kind == "group"
    assert SensorData(group=None).splitting.kind == "time"
    assert SensorData(group=None, time=None, numeric=["light_lux"]).splitting.kind == "random"


@pytest.mark.parametrize(("feature", "codes"), [("machine", []), ("time", ["FUL-L05"]), ("id", ["FUL-L05"])])
def test_an_id_or_a_time_among_the_features_of_a_random_split_is_told_once(tmp_path, feature, codes, small):
    """The column of the machine by the data, what numbers the rows or goes with the time by the scan for leaks."""
    SensorData(**small).export(tmp_path / "r.csv")
    table = pd.read_csv(tmp_path / "r.csv")
    table["machine"] = table["machine"].str[1:].astype(int)
    table["id"] = np.arange(len(table)) * 3
    table.to_csv(tmp_path / "r.csv", index=False)
    options = {"csv": str(tmp_path / "r.csv"), "numeric": ["vibration_mm_s", feature]}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        data = ready(**options, split="random")
    assert sum(f"the feature {feature} is the column" in str(each.message) for each in told) == (not codes)
    assert [leak.id for leak in scan(data.all_samples()) if leak.id == "FUL-L05"] == codes
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ready(**options, folds=4)


def test_permuted_labels_cannot_be_found(small):
    options = {**small, "machines": 24, "permute_labels": True}
    areas = []
    for fold in range(5):
        data = ready(**options, fold=fold)
        predict = baselines.fit("logistic regression", data.splits["train"], [], 2)
        areas.append(roc_auc_score(data.splits["test"]["target"], predict(data.splits["test"])[:, 1]))
    se = np.std(areas, ddof=1) / np.sqrt(5)
    assert abs(np.mean(areas) - 0.5) < max(2 * se, 0.03)


def test_the_test_part_changes_nothing_in_training(small, monkeypatch):
    def state():
        data = ready(**small)
        torch.manual_seed(0)
        module = SensorClassifier(MLP(Inputs(data.features.columns.numeric, bins=4), width=8))
        quiet_trainer(max_epochs=1).fit(module, data)
        return module.state_dict()

    def spoiled(data, stage=None):
        original(data)
        data.splits["test"] = {name: torch.full_like(value, 7) for name, value in data.splits["test"].items()}

    original, clean = SensorData.setup, state()
    monkeypatch.setattr(SensorData, "setup", spoiled)
    assert differing(clean, state()) == []


CHANGES = {
    "machines": 9, "days": 15, "seed": 4, "lost": 0.1, "fault": "drift",
    "numeric": ["light_lux"], "missing": False, "ranges": {"light_lux": [0, 1]},
    "labels": [1, 0],
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_every_setting_of_the_table_changes_the_key_of_the_cache(small, name):
    def key(**options):
        data = SensorData(**options)
        data._build = lambda file: {"x": np.zeros(1)}
        data.prepare_data()
        return data.fingerprint

    assert key(**{**small, name: CHANGES[name]}) != key(**small)


def test_splits_and_batches_share_one_entry_of_the_cache(small):
    a, b = ready(**small), ready(**small, fold=2, folds=4, validation=0.3, batch_size=8)
    assert a.fingerprint == b.fingerprint


def test_permuted_labels_are_other_data_made_of_the_same_entry_of_the_cache(small, monkeypatch):
    whole = ready(**small)
    monkeypatch.setattr(SensorData, "_build", lambda *_: pytest.fail("built anew"))
    assert ready(**small, permute_labels=True).fingerprint == f"{whole.fingerprint}.permuted"


def test_every_byte_of_the_file_changes_the_key(readings):
    path, _ = readings
    before = ready(csv=str(path), folds=3).fingerprint
    path.write_bytes(path.read_bytes() + b"\n")
    assert ready(csv=str(path), folds=3).fingerprint != before


def test_cached_equals_built(small, tmp_path):
    built, read = (ready(**small, cache=str(tmp_path), windows=["rise_24h"]) for _ in range(2))
    for name, part in built.splits.items():
        for key, value in part.items():
            assert torch.equal(torch.nan_to_num(value), torch.nan_to_num(read.splits[name][key]))


def test_a_csv_of_the_plant_reads_as_the_plant(small, tmp_path):
    plant = ready(**small)
    plant.export(tmp_path / "r.csv")
    read = ready(csv=str(tmp_path / "r.csv"), seed=small["seed"])
    assert torch.allclose(plant.splits["train"]["x"], read.splits["train"]["x"], equal_nan=True)
    assert read.bayes is None


@pytest.fixture
def database(tmp_path, readings):
    url = f"sqlite:///{tmp_path / 'plant.db'}"
    with sqlite3.connect(tmp_path / "plant.db") as connection:
        readings[1].to_sql("readings", connection, index=False)
    return url, tmp_path / "plant.db"


def test_a_query_is_asked_once_and_its_snapshot_has_an_id(database, tmp_path, monkeypatch):
    url, file = database
    options = {"query": "SELECT * FROM readings", "cache": str(tmp_path / "cache"), "folds": 3}
    first = ready(database=url, **options)
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE readings SET light_lux = light_lux + 1")
    assert ready(database=url, **options).fingerprint == first.fingerprint
    renewed = ready(database=url, **options, snapshot="new")
    assert renewed.fingerprint != first.fingerprint
    old, new = sorted((tmp_path / "cache" / "snapshots").glob("*.csv"), key=lambda path: path.stat().st_mtime_ns)
    assert ready(database=url, **options, snapshot=old.stem).fingerprint == first.fingerprint
    assert ready(database=url, **options).fingerprint == renewed.fingerprint
    with pytest.raises(FulmenError, match=f"there is no abc of this query; there is .*{new.stem}"):
        ready(database=url, **options, snapshot="abc")
    monkeypatch.setenv("PLANT", url)
    assert len(ready(database="$PLANT", **options).splits["train"]["target"])


def test_a_database_that_does_not_answer_is_one_line(tmp_path):
    with pytest.raises(FulmenError, match=r"database: no answer: no such table: readings"):
        ready(database="sqlite://", query="SELECT * FROM readings", cache=str(tmp_path))
    with pytest.raises(FulmenError, match=r"the environment has no \$NOWHERE"):
        ready(database="$NOWHERE", query="SELECT 1", cache=str(tmp_path))


def test_ai4i_is_read_whole_and_its_failure_flags_are_refused(ai4i):
    from fulmen.config.check import build, check_overrides

    typed = ["experiment=sensors", "data=ai4i", f"data.csv={ai4i}"]
    data = build(check_overrides(typed).data, "data")
    data.setup()
    assert sum(len(part["target"]) for part in data.splits.values()) == 541
    assert sum(int(part["target"].sum()) for part in data.splits.values()) == 57
    with pytest.raises(FulmenError, match="HDF gives the target away"):
        build(check_overrides([*typed, "data.numeric=[HDF]"]).data, "data")
