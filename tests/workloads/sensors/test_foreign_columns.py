"""Tables with columns of their own: what a refusal advises is typed as a person would, and reads the table."""

import numpy as np
import pandas as pd
import pytest

from fulmen.config.check import build, check_overrides
from fulmen.errors import FulmenError
from tests.workloads.sensors.strangers import known, named_in

RNG = np.random.default_rng(0)
HOURS = pd.date_range("2024-03-01", periods=300, freq="h")


def pumps():
    """A water pump: time stamps, sensors by number, a status of three values."""
    status = np.where(np.arange(300) % 20 == 7, "BROKEN", np.where(np.arange(300) % 20 < 9, "RECOVERING", "NORMAL"))
    sensors = {f"sensor_{i:02}": RNG.normal(size=300).round(4) for i in range(8)}
    return pd.DataFrame({"": range(300), "timestamp": HOURS, **sensors, "machine_status": status})


def semiconductors():
    """Columns called by numbers, labels of -1 and 1."""
    label = np.where(RNG.random(300) < 0.1, 1, -1)
    return pd.DataFrame({"Time": HOURS, **{str(i): RNG.normal(size=300) for i in range(10)}, "Pass/Fail": label})


def german():
    labels = known().maintenance.map({0: "nein", 1: "ja"})
    names = {"machine": "gerät", "time": "zeit", "light_lux": "a", "temperature_c": "b", "vibration_mm_s": "c"}
    return known().assign(maintenance=labels).rename(columns={**names, "maintenance": "störung"})


def polish():
    """Names that nobody knows: machine and time are plain by their cells alone, the labels in several spellings."""
    names = {"machine": "maszyna", "time": "czas", "light_lux": "a", "temperature_c": "b", "vibration_mm_s": "c"}
    labels = known().maintenance.map({0: "No", 1: "Yes"})
    labels[8:20] = labels[8:20].str.lower() + " "
    return known().assign(maintenance=labels).rename(columns={**names, "maintenance": "usterka"})


def without_a_sensor():
    return known().drop(columns="vibration_mm_s")


def without_time():
    return known().drop(columns="time")


def with_times_of_day():
    return known().assign(Date=lambda t: t.time.str[:10], time=lambda t: t.time.str[11:])


TABLES = {
    pumps: ([f"sensor_{i:02}" for i in range(8)], "machine_status", None, "timestamp"),
    semiconductors: ([str(i) for i in range(10)], "Pass/Fail", None, "Time"),
    german: (["a", "b", "c"], "störung", "gerät", "zeit"),
    polish: (["a", "b", "c"], "usterka", "maszyna", "czas"),
    without_a_sensor: (["light_lux", "temperature_c", "hour_sin", "hour_cos"], "maintenance", "machine", "time"),
    without_time: (["light_lux", "temperature_c", "vibration_mm_s"], "maintenance", "machine", None),
    with_times_of_day: (["light_lux", "temperature_c", "vibration_mm_s", "hour_sin", "hour_cos"], "maintenance",
                        "machine", "time"),
}  # fmt: skip


def read(path, cache):
    """The data that are read once all advice was taken, and how often there was some."""
    typed, asked = ["experiment=sensors", f"data.csv={path}", f"data.cache={cache}", "data.folds=4"], 0
    while True:
        data = build(check_overrides(typed).data, "data")
        try:
            data.prepare_data()
            return data, asked
        except FulmenError as refused:
            said = str(refused)
        asked += 1
        assert asked < 3, said
        assert "\n" not in said
        typed = [*typed, *named_in(said)]


@pytest.mark.parametrize("make", TABLES, ids=lambda make: make.__name__)
def test_the_columns_of_another_table_are_named_in_a_command_that_reads_it(make, tmp_path):
    path = tmp_path / "table.csv"
    make().to_csv(path, index=False)
    data, asked = read(path, tmp_path / "cache")
    c = data.features.columns
    assert (list(c.numeric), c.target, c.group, c.time) == TABLES[make]
    assert asked == (make is not with_times_of_day)
    if make is pumps:
        assert [str(label) for label in c.labels] == ["NORMAL", "RECOVERING", "BROKEN"]  # the rarest last
    if make is with_times_of_day:
        assert "Date and time are one time" in "\n".join(data.taken[0].lines())
        assert sorted(set(data._arrays()["time_h"] - data._arrays()["time_h"].min())) == list(range(60))


def test_ai4i_as_a_file_of_ones_own_leads_to_its_config(ai4i):
    data = build(check_overrides(["experiment=sensors", f"data.csv={ai4i}"]).data, "data")
    with pytest.raises(FulmenError, match=r"the file has all that data=ai4i reads: data=ai4i data.csv=") as refused:
        data.prepare_data()
    advice = str(refused.value).rpartition("reads: ")[2].split()
    data = build(check_overrides(["experiment=sensors", *advice]).data, "data")
    data.setup()
    assert sum(len(part["target"]) for part in data.splits.values()) == 541


def test_the_kinds_of_failure_of_ai4i_are_refused_as_features_unless_a_person_allows_them(ai4i, tmp_path):
    features = "data.numeric=['Torque [Nm]',TWF,HDF,PWF,OSF]"
    typed = ["experiment=sensors", "data=ai4i", f"data.csv={ai4i}", features, f"data.cache={tmp_path}"]
    data = build(check_overrides([*typed, "data.forbidden=null"]).data, "data")
    with pytest.raises(FulmenError, match=r"TWF, HDF, PWF, OSF are kinds of Machine failure: .* 98%"):
        data.prepare_data()
    build(check_overrides([*typed, "data.forbidden=[]"]).data, "data").prepare_data()
    one = "data.numeric=['Torque [Nm]',HDF]"
    data = build(check_overrides([*typed, "data.forbidden=null", one]).data, "data")
    with pytest.warns(UserWarning, match="leakage: HDF is 1 in rows with the label 1 alone"):
        data.setup()


def test_a_table_without_names_asks_for_them_and_then_for_roles(tmp_path):
    path = tmp_path / "train_FD001.txt"
    rows = [[unit, cycle, *RNG.normal(500, 9, 24).round(2)] for unit in range(1, 12) for cycle in range(1, 30)]
    path.write_text("".join(f"{' '.join(map(str, row))}  \n" for row in rows))
    start = ["experiment=sensors", f"data.csv={path}"]
    with pytest.raises(FulmenError, match="no line with the names of the 26 columns") as refused:
        build(check_overrides(start).data, "data").prepare_data()
    header = named_in(str(refused.value))
    with pytest.raises(FulmenError, match=r"name the column of the labels by data.target") as refused:
        build(check_overrides([*start, *header]).data, "data").prepare_data()
    names = ["unit", "cycle", *(f"s{i}" for i in range(24))]
    with pytest.raises(FulmenError, match=r"Perhaps .*data.time=cycle data.group=unit"):
        build(check_overrides([*start, f"data.header=[{','.join(names)}]"]).data, "data").prepare_data()
