"""What can be wrong with a table, and the line that says so: it names the column and the row."""

import importlib.util
import re

import numpy as np
import pytest
import torch

from fulmen.errors import FulmenError
from fulmen.workloads.sensors.data import SensorData


def rewritten(readings, change):
    path, table = readings
    changed = change(table)
    (table if changed is None else changed).to_csv(path, index=False)
    return path


def cell(row, column, value):
    def change(table):
        table[column] = table[column].astype(object)
        table.loc[row - 2, column] = value

    return change


BAD = {
    "unknown column": (lambda t: t.rename(columns={"light_lux": "light"}), "no column light_lux; is it light as light"),
    "no such column at all": (lambda t: t.drop(columns="vibration_mm_s"), "no column vibration_mm_s"),
    "constant column": (lambda t: t.assign(light_lux=7.0), "row 2, column light_lux: the column is constant, 7"),
    "empty column": (lambda t: t.assign(light_lux=np.nan), "row 2, column light_lux: the column holds no number"),
    "one class": (lambda t: t.assign(maintenance=0), "row 2, column maintenance: the target has one class, 0"),
    "unknown label": (cell(9, "maintenance", "maybe"), "row 9, column maintenance: 'maybe' is none of the labels 0, 1"),
    "no label": (cell(9, "maintenance", ""), "row 9, column maintenance: empty"),
    "mixed types": (cell(31, "temperature_c", "warm"), "row 31, column temperature_c: 'warm' is no number"),
    "decimal comma": (cell(31, "temperature_c", "21,5"), "row 31, .*: '21,5' has a decimal comma, but .* row 2"),
    "infinity": (cell(40, "vibration_mm_s", "inf"), "row 40, column vibration_mm_s: inf is infinite"),
    "no time": (cell(5, "time", "soon"), "row 5, column time: 'soon' is no number"),
    "no ISO time": (lambda t: t.assign(time=["2024-01-31"] * (len(t) - 1) + ["31/31"]), "row 865, .*'31/31' is no t"),
    "no machine": (cell(5, "machine", ""), "row 5, column machine: empty"),
    "the same time twice": (cell(4, "time", 0.0), "row 4, column time: machine M01 has .* already, in row 2"),
    "no rows": (lambda t: t.iloc[:0], "there is no row below the header"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "says"), BAD.values(), ids=BAD)
def test_a_bad_table_is_one_clear_line(readings, change, says):
    path = rewritten(readings, change)
    with pytest.raises(FulmenError, match=says) as error:
        SensorData(csv=str(path)).prepare_data()
    assert "\n" not in str(error.value)
    assert path.name in str(error.value)


def test_an_empty_file(tmp_path):
    path = tmp_path / "empty.csv"
    path.write_text("")
    with pytest.raises(FulmenError, match=r"empty\.csv: the file is empty"):
        SensorData(csv=str(path)).prepare_data()


@pytest.mark.parametrize("typed", ["semicolon", ";", "tab", "\t"])
def test_a_delimiter_reads_whether_it_is_typed_or_not(readings, typed):
    path, table = readings
    table.to_csv(path, index=False, sep=";" if typed in (";", "semicolon") else "\t")
    for delimiter in (typed, "auto"):
        data = SensorData(csv=str(path), delimiter=delimiter, folds=3)
        data.setup()
        assert sum(len(part["target"]) for part in data.splits.values()) == len(table)


def test_a_packed_file_reads_as_the_file_and_a_broken_one_is_one_line(readings):
    path, table = readings
    packed = path.with_name("readings.csv.gz")
    table.to_csv(packed, index=False)
    a, b = (SensorData(csv=str(file), folds=3) for file in (path, packed))
    for data in (a, b):
        data.setup()
    assert torch.equal(a.splits["test"]["x"].nan_to_num(), b.splits["test"]["x"].nan_to_num())
    packed.write_bytes(packed.read_bytes()[:2000])
    with pytest.raises(FulmenError, match=r"readings\.csv\.gz cannot be read"):
        SensorData(csv=str(packed)).prepare_data()


def test_a_ragged_line_and_a_missing_file(tmp_path):
    path = tmp_path / "ragged.csv"
    path.write_text("machine,time\nM1,1\nM1,2,3,4\n")
    with pytest.raises(FulmenError, match="line 3"):
        SensorData(csv=str(path)).prepare_data()
    with pytest.raises(FulmenError, match=r"there is no file nowhere\.csv"):
        SensorData(csv="nowhere.csv").prepare_data()


def test_units_out_of_range_are_a_warning_with_the_range_every_time(readings):
    path = rewritten(readings, lambda t: t.assign(temperature_c=t.temperature_c + 273.15))
    for _ in range(2):  # built, then from the cache
        with pytest.warns(
            UserWarning, match=r"row 2, column temperature_c: .* outside -40 to 125 .* is the unit right"
        ):
            SensorData(csv=str(path), folds=3).setup()


def test_a_gap_is_an_error_where_readings_must_not_be_missing(readings):
    path = rewritten(readings, cell(12, "vibration_mm_s", ""))
    with pytest.raises(FulmenError, match=r"column .*: the value is missing"):
        SensorData(csv=str(path), missing=False).prepare_data()


def test_a_class_in_no_training_fold_names_column_and_row(readings):
    path = rewritten(readings, lambda t: t.assign(maintenance=(t.machine == "M03").astype(int)))
    said = []
    for fold in range(3):
        try:
            SensorData(csv=str(path), folds=3, fold=fold).setup()
        except FulmenError as error:
            said.append(str(error))
    assert len(said) == 3  # one machine alone has the class: it trains, validates or tests
    words = re.compile(r"column maintenance: class 1 is not in the \w+ split .* row \d+")
    assert [each for each in said if not words.search(each)] == []


def test_an_unknown_level_names_column_and_row(readings):
    path = rewritten(readings, lambda t: t.assign(line=["A", "B"] * (len(t) // 2)))
    with pytest.raises(FulmenError, match=r"row 3, column line: 'B' is none of its levels, A, C"):
        SensorData(csv=str(path), categorical={"line": ["A", "C"]}).prepare_data()


WRONG = {
    "fold": ({"fold": 5}, "fold is 5; with folds=5"),
    "target as feature": ({"numeric": ["maintenance"]}, "maintenance is the target"),
    "forbidden": ({"numeric": ["TWF"], "forbidden": ["TWF"]}, "TWF gives the target away"),
    "windows without time": ({"windows": ["mean_24h"], "time": None}, "windows need"),
    "no such window": ({"windows": ["max_24h"]}, "'max_24h' is no statistic"),
    "window twice": ({"windows": ["mean_24h", "mean_24h"]}, "name each once"),
    "windows of nothing": ({"windows": ["mean_24h"], "wear": []}, "name one or more of light_lux, temperature_c"),
    "windows of what is no feature": ({"windows": ["mean_24h"], "wear": ["vibration"]}, "wear: vibration is no column"),
    "split without column": ({"split": "time", "time": None}, "split is time"),
    "query alone": ({"query": "SELECT 1"}, "belong together"),
    "delimiter": ({"delimiter": "::"}, "one character, or auto, comma, semicolon, tab, bar"),
    "range": ({"ranges": {"x": [2, 1]}}, "ranges.x"),
    "labels": ({"labels": [1, 1]}, "two or more that differ"),
    "twice": ({"numeric": ["a", "a"]}, "named twice"),
    "batch": ({"batch_size": 0}, "batch_size is 0"),
}


@pytest.mark.parametrize(("arguments", "says"), WRONG.values(), ids=WRONG)
def test_wrong_arguments_are_refused_before_any_work(arguments, says):
    with pytest.raises(FulmenError, match=says):
        SensorData(**arguments)


def test_parquet_reads_as_csv_does_or_says_what_to_install(readings):
    path, table = readings
    parquet = path.with_suffix(".parquet")
    if importlib.util.find_spec("pyarrow"):
        table.to_parquet(parquet)
        a, b = (SensorData(csv=str(file), folds=3) for file in (path, parquet))
        for data in (a, b):
            data.setup()
        assert torch.equal(a.splits["test"]["x"].nan_to_num(), b.splits["test"]["x"].nan_to_num())
        table.assign(temperature_c=["warm", *table.temperature_c[1:].astype(str)]).to_parquet(parquet)
        with pytest.raises(FulmenError, match=r"row 1, column temperature_c: 'warm' is no number"):
            SensorData(csv=str(parquet)).prepare_data()
        says = "cannot be read"
    else:
        says = "needs pyarrow"
    parquet.write_bytes(b"PAR1")
    with pytest.raises(FulmenError, match=says):
        SensorData(csv=str(parquet)).prepare_data()
