"""A scan for leaks sees the rows of a table as they stand in the file, and its cures work as they are typed."""

import shlex
import warnings

import numpy as np
import pandas as pd
import pytest

from fulmen.config.check import build, check_overrides
from fulmen.data.leaks import scan
from fulmen.errors import FulmenError
from fulmen.workloads.sensors.data import SensorData
from tests.workloads.sensors.strangers import READINGS, known


@pytest.fixture
def table():
    """Independent people with a label, a number, a ward, a kind, and a code that tells the label."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(900, 3)).round(4)
    y = (x[:, 0] + rng.normal(size=900) > 0.5).astype(int)
    codes = np.array(["in", "out", "home", "ward"], dtype=object)
    return pd.DataFrame(x, columns=["a", "b", "c"]).assign(
        number=rng.permutation(900) + 20_000_000, ward=rng.choice(["w1", "w2"], 900), kind=rng.choice(["k", "l"], 900),
        **{"end-code": codes[2 * y + rng.integers(0, 2, 900)]}, y=y,
    )  # fmt: skip


def typed(path, *more):
    levels = "{kind:[k,l],end-code:[home,in,out,ward]}"
    plain = ["data.numeric=[a,b,c,number]", "data.target=y", "data.group=null", "data.time=null", "data.ranges={}"]
    return ["experiment=sensors", f"data.csv={path}", *plain, f"data.categorical={levels}", *more]


def opened(words):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = build(check_overrides(words).data, "data")
        data.prepare_data()
        data.setup("fit")
    return data.all_samples()


def test_samples_are_all_rows_with_the_columns_of_the_file_and_those_that_are_no_inputs(table, tmp_path):
    table.to_csv(tmp_path / "t.csv", index=False)
    samples = opened(typed(tmp_path / "t.csv"))
    assert list(samples.columns) == ["a", "b", "c", "number", "kind", "end-code"]
    assert samples.columns["number"].tolist() == table["number"].tolist()  # not rounded to float32
    assert samples.also["ward"].tolist() == (table["ward"] == "w2").astype(int).tolist()
    assert samples.target.tolist() == table["y"].tolist()
    assert (samples.splitting, samples.group, samples.time) == ("random", None, None)
    assert np.bincount(samples.split).tolist() == [576, 144, 180]


def test_typing_the_cures_leaves_nothing_to_be_found(table, tmp_path):
    table.to_csv(tmp_path / "t.csv", index=False)
    words = typed(tmp_path / "t.csv")
    found = scan(opened(words))
    assert {leak.code: leak.columns for leak in found} == {"target_copy": ("end-code",), "identifier": ("number",)}
    for leak in found:
        words += [word for cure in leak.cures for word in shlex.split(cure)]
    assert scan(opened(words)) == []


def test_readings_of_machines_that_are_split_at_random_are_a_group_in_several_splits(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = SensorData(split="random", machines=20, days=12, cache=str(tmp_path))
        data.setup()
        codes = {leak.code for leak in scan(data.all_samples())}
        assert codes >= {"group_in_several_splits"}
        honest = SensorData(machines=20, days=12, cache=str(tmp_path))
        honest.setup()
    assert [leak for leak in scan(honest.all_samples()) if leak.severity != "note"] == []


def test_columns_that_are_the_target_are_refused_under_their_code(tmp_path):
    path = tmp_path / "t.csv"
    rows = known()
    rows.assign(copy=rows["maintenance"]).to_csv(path, index=False)
    with pytest.raises(FulmenError, match="FUL-L06 target copy: copy is maintenance under another name"):
        SensorData(csv=str(path), numeric=[*READINGS, "copy"], cache=str(tmp_path)).prepare_data()
