"""`fulmen check`: what is taken from a file, without a training, and a command that works as it stands."""

import json
import os
import shlex

import numpy as np
import pandas as pd
import pytest
import reading_lab
from cures import arguments, overrides_in

import fulmen
from fulmen.cli import main
from fulmen.config.check import check_overrides
from fulmen.config.completion import completions
from fulmen.workloads.sensors.recognising import ordered

DAYS = 300


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def said(capfd):
    """Lines on stdout, lines on stderr and the exit code of `fulmen check ...`."""

    def said(*words):
        code = main(["check", *words])
        out, err = capfd.readouterr()
        return out.splitlines(), err.splitlines(), code

    return said


def prices(path="px.csv", **names):
    close = 100 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.01, DAYS)))
    table = pd.DataFrame({"Date": pd.bdate_range("2020-01-01", periods=DAYS).astype(str), "Open": close,
                          "High": close * 1.01, "Low": close * 0.99, "Close": close, "Volume": 1000})  # fmt: skip
    table.rename(columns=names).to_csv(path, index=False)
    return path


def readings(path="pumps.csv", rows=400, **more):
    rng = np.random.default_rng(0)
    time = pd.date_range("2024-01-01", periods=rows, freq="h").astype(str)
    units = [f"P{i % 8}" for i in range(rows)]
    table = {"id": range(rows), "time": time, "unit": units, "flow rate": rng.normal(size=rows)}
    table |= {"pressure (bar)": rng.normal(size=rows), "mode": rng.choice(["A", "B", "C"], rows)}
    pd.DataFrame(table | {"status": rng.choice(["ok", "fail"], rows)} | more).to_csv(path, index=False)
    return path


def trains(line):
    """The config of the command in a line."""
    program, script, *overrides = shlex.split(line)
    assert (program, script) == ("python", "train.py")
    return check_overrides(overrides)


@pytest.mark.parametrize("name", ["px.csv", "px=2020 (1).csv", "it's $x.csv", "-px.csv", "Größe, neu.csv", "2024"])
def test_prices_are_told_by_their_columns_and_the_command_names_the_file(said, name):
    path = prices(name)
    typed = f"./{path}" if path.startswith("-") else path
    out, err, code = said(typed)
    assert (code, err) == (0, [])
    assert out[0] == f"{path}: daily prices"
    assert any(line.startswith("samples: train ") for line in out)
    assert trains(out[-1]).data.csv == path
    assert trains(out[-1]).experiment == "stocks"


def test_a_date_and_a_close_alone_are_prices_and_what_they_lack_is_said(said):
    pd.read_csv(prices())[["Date", "Close"]].to_csv("px=2024.csv", index=False)
    _, (error,), code = said("px=2024.csv")
    assert code != 0
    assert "no column High, Low, Volume; there is Date, Close; go on without: " in error
    (override,) = [each for each in overrides_in(error) if each.startswith("data.features=")]
    out, err, code = said("px=2024.csv", override)
    assert (err, code) == ([], 0)
    assert trains(out[-1]).data.csv == "px=2024.csv"


def test_an_experiment_and_overrides_are_used_as_they_are_typed(said):
    out, _, code = said(prices(), "--experiment", "stocks", "data.lookback_days=20", "data.horizon_days=2")
    data = trains(out[-1]).data
    assert code == 0
    assert (data.csv, data.lookback_days, data.horizon_days) == ("px.csv", 20, 2)
    out, _, _ = said("px.csv", "data.lookback_days=20", "--json", "--experiment", "stocks")
    plain = json.loads("\n".join(out))
    assert plain["experiment"] == "stocks"
    assert plain["samples"].keys() == {"train", "validation", "test"}
    assert trains(plain["command"]).data.lookback_days == 20


def test_nothing_is_left_behind(said, cache):
    before = sorted(os.listdir(cache))
    said(prices(), "--experiment", "stocks")
    assert os.listdir() == ["px.csv"]
    assert sorted(os.listdir(cache)) == before
    assert os.environ["FULMEN_CACHE"] == str(cache)


def test_a_table_of_readings_is_trained_on_where_one_column_alone_can_be_the_target(said):
    out, _, code = said(readings())
    data = trains(out[-1]).data
    assert code == 0
    assert list(data.numeric) == ["flow rate", "pressure (bar)"]
    assert (data.target, list(data.labels), data.group, data.time) == ("status", ["ok", "fail"], "unit", "time")
    assert {name: list(levels) for name, levels in data.categorical.items()} == {"mode": ["A", "B", "C"]}
    assert any(line.startswith("  left out: id") for line in out)


def test_what_could_be_the_target_is_asked_where_several_could(said):
    rng = np.random.default_rng(1)
    path = readings(
        status=rng.choice(["x", "y"], 400), alarm_a=rng.choice([0, 1], 400), alarm_b=rng.choice([0, 1], 400)
    )
    pd.read_csv(path).rename(columns={"status": "light"}).to_csv(path, index=False)
    out, (error,), code = said(path)
    assert code != 0
    assert "possible targets" in " ".join(out)
    assert "which column is the target? data.target=light or data.target=alarm_a or data.target=alarm_b: " in error
    words = shlex.split(error.partition("alarm_b: ")[2])
    out, (error,), _ = said(*words[2:])
    assert "which value of light is the event, the second label? 'data.labels=[x,y]' or 'data.labels=[y,x]'" in error
    out, err, code = said(*words[2:], "data.labels=[y,x]")
    assert (err, code) == ([], 0)
    assert list(trains(out[-1]).data.labels) == ["y", "x"]


@pytest.mark.parametrize(
    ("column", "says"),
    [(1, "the target fail tells no classes: it never changes (FUL-T00 constant target); name another column"),
     (None, "the target fail is a number of many values, and sensors tells classes, 10 or fewer; a numeric target "
            "needs a project of your own, whose template forecasts numbers: fulmen new NAME")],
)  # fmt: skip
def test_a_target_that_is_named_and_tells_no_classes_is_said_to_be_none(said, column, says):
    draw = np.random.default_rng(0)
    table = pd.DataFrame(draw.normal(size=(90, 2)), columns=["a", "b"])
    table.assign(fail=draw.normal(size=90) if column is None else column).to_csv("own.csv", index=False)
    _, (error,), code = said("own.csv", "data.target=fail")
    assert code != 0
    assert says in error
    _, (error,), _ = said("own.csv")
    assert "no column has so few values that it can be the target: sensors tells classes, 10 or fewer; " in error


def test_which_of_two_targets_is_taken_is_said_with_the_other(said):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=200), "b": rng.normal(size=200), "fail": rng.integers(0, 2, 200)})
    table["status"] = rng.choice(["ok", "bad"], 200)
    table.to_csv("both.csv", index=False)
    out, _, code = said("both.csv", "data.numeric=[a,b]")
    assert code == 0
    assert "  target: status, by its name; data.target=fail takes another" in out
    assert "data.target=status" in out[-1]
    out, _, _ = said("both.csv", "data.numeric=[a,b]", "data.target=fail")
    assert not [line for line in out if line.startswith("  target: ")]


def test_the_event_is_known_by_what_labels_usually_say():
    assert ordered(["1", "0"]) == ["0", "1"]
    assert ordered(["Pass", "Fail"]) == ["Pass", "Fail"]
    assert ordered(["True", "False"]) == ["False", "True"]
    assert ordered(["-1", "1"]) == ["-1", "1"]
    assert ordered(["red", "green"]) is None
    assert ordered(["10", "9", "1"]) == ["1", "9", "10"]


def test_a_table_with_the_columns_of_a_config_is_that_of_its_experiment(said):
    rng = np.random.default_rng(0)
    rows = 600
    names = [
        "Air temperature [K]",
        "Process temperature [K]",
        "Rotational speed [rpm]",
        "Torque [Nm]",
        "Tool wear [min]",
    ]
    table = {name: rng.normal(300, 5, rows).round(1) for name in names}
    table |= {
        "UDI": range(rows),
        "Product ID": [f"M{i}" for i in range(rows)],
        "Type": rng.choice(["L", "M", "H"], rows),
    }
    table |= dict.fromkeys(("TWF", "HDF", "PWF", "OSF", "RNF"), 0)
    pd.DataFrame(table | {"Machine failure": rng.choice([0, 1], rows)}).to_csv("ai4i2020.csv", index=False)
    out, _, code = said("ai4i2020.csv")
    assert code == 0
    assert out[-1] == "python train.py experiment=sensors data.csv=ai4i2020.csv data=ai4i"


def test_image_arrays_are_told_by_their_names(said):
    rng = np.random.default_rng(0)
    images = {f"x_{part}": rng.integers(0, 256, (40, 8, 8, 3), dtype=np.uint8) for part in ("train", "test")}
    np.savez("photos.npz", **images, **{f"y_{part}": np.arange(40) % 2 for part in ("train", "test")})
    out, _, code = said("photos.npz")
    assert code == 0
    command = "python train.py experiment=images_plain data.arrays=photos.npz data=image_arrays"
    assert out[-1] == f"{command} model.network.pixels=8"


def test_the_command_for_pictures_of_another_size_trains_on_them(said):
    rng = np.random.default_rng(0)
    for side, more in ((8, "model.network.pixels=8"), (32, ""), (20, "network=resnet9")):
        images = {f"x_{part}": rng.integers(0, 17, (40, side, side), dtype=np.uint8) for part in ("train", "test")}
        np.savez("digits.npz", **images, **{f"y_{part}": np.arange(40) % 2 for part in ("train", "test")})
        out, _, code = said("digits.npz", "data.pixel_range=[0,16]")
        assert code == 0
        assert out[-1].removesuffix(more).strip().endswith("'data.pixel_range=[0,16]'")
        assert out[-1].endswith(more)
        check_overrides(shlex.split(out[-1])[2:])


def test_pictures_without_classes_and_a_folder_of_all_kinds_are_told_apart(said, tmp_path):
    (tmp_path / "flat").mkdir()
    for i in range(4):
        (tmp_path / "flat" / f"{i}.png").write_bytes(b"x")
    _, err, code = said("flat")
    assert code != 0
    assert err[0].startswith("error: flat: the pictures have no classes; move them into a folder for each class")
    assert err[0].endswith("such as flat/cats and flat/dogs")
    for i in range(9):
        (tmp_path / f"{i}.csv").write_text("a,b\n1,2\n")
    _, err, code = said(".")
    assert (len(err), code != 0) == (1, True)
    assert "name a file in it" in err[0]


def test_the_log_of_a_training_is_for_the_diagnosis(said):
    rows = "".join(f"{i},{1 / i},{1 / i + 0.1}\n" for i in range(1, 20))
    with open("log.csv", "w") as file:
        file.write(f"epoch,train_loss,val_loss\n{rows}")
    out, _, code = said("log.csv")
    assert (out, code) == (["log.csv: the log of a training", "fulmen diagnose log.csv"], 0)
    out, _, _ = said("log.csv", "--json")
    assert json.loads("\n".join(out))["command"] == "fulmen diagnose log.csv"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "there is no file f.csv"),
        (b"", "f.csv: the file is empty"),
        (bytes(range(256)) * 20, "f.csv"),
        (b"a,b\n", "f.csv"),
        (b"word,other\nx,y\nz,w\n", "f.csv"),
        ("folder", "f.csv is a folder; name a file in it"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_line(said, content, says):
    if content == "folder":
        os.mkdir("f.csv")
    elif content is not None:
        with open("f.csv", "wb") as file:
            file.write(content)
    for more in ([], ["--experiment", "stocks"], ["--experiment", "sensors"]):
        _, err, code = said("f.csv", *more)
        assert code != 0
        assert len(err) == 1, err
        assert says in err[0], err
        assert "Traceback" not in err[0]


def test_mistakes_beside_the_file_are_told_with_a_command_of_this_verb(said):
    prices()
    _, err, _ = said("px.csv", "--experiment", "stoks")
    assert err == ["error: there is no experiment stoks; did you mean stocks?"]
    _, err, _ = said("px.csv", "--experiment", "stocks", "data.lookback=20")
    assert err[-1] == "  this works: fulmen check px.csv --experiment stocks data.lookback_days=20"
    _, err, _ = said("px.csv", "--experiment", "pbpk_published")
    assert err == ["error: the data of pbpk_published read no file"]
    _, err, _ = said("data.csv=px.csv")
    assert err == ["error: check which file? fulmen check FILE data.csv=px.csv"]


def test_a_file_is_named_once_and_several_only_where_they_are_read(said):
    prices()
    readings()
    _, err, code = said("px.csv", "data.csv=pumps.csv")
    assert code != 0
    assert err == ["error: data.csv=pumps.csv names a file, and so does the command; name one: fulmen check px.csv"]
    _, (error,), code = said("pumps.csv", "px.csv", "--experiment", "sensors")
    assert code != 0
    assert error.endswith("read one file, not 2: fulmen check pumps.csv --experiment sensors")


def test_settings_without_quotes_are_answered_with_a_command_that_works(said):
    prices()
    for words, cure in [
        (["data.columns={close:", "Close}"], "'data.columns={close: Close}'"),
        (["data.delimiter=,"], "data.delimiter=comma"),
    ]:
        _, err, code = said("px.csv", "--experiment", "stocks", *words)
        assert code != 0
        assert err[-1] == f"  this works: fulmen check px.csv --experiment stocks {cure}"
        _, err, code = said(*shlex.split(err[-1].partition("fulmen check ")[2]))
        assert (err, code) == ([], 0)


def test_a_project_of_ones_own_is_found_and_says_what_it_took(said, tmp_path):
    with reading_lab.lab(tmp_path / "lab", "checklab"):
        out, _, code = said("low.csv")
        assert code == 0
        assert out[:4] == [
            "low.csv: lengths",
            "low.csv: 16 lengths",
            "  columns: features: length",
            "  decided: decimal comma in length (data.decimal=point)",
        ]
        assert out[4:] == ["  doubtful: a length is below 0", "samples: train 8, validation 8, test 8",
                           "warning: low.csv: a length is below 0",
                           "fulmen train experiment=checklab data.csv=low.csv"] or out[-1].endswith(
                               "experiment=checklab data.csv=low.csv")  # fmt: skip
        out, _, _ = said("px.csv", "low.csv", "--experiment", "checklab", "--json")
        plain = json.loads("\n".join(out))
        assert [each["source"] for each in plain["taken"]] == ["px.csv", "low.csv"]
        assert arguments(shlex.split(plain["command"])) == {"csv": ["px.csv", "low.csv"]}
        assert plain["warnings"] == ["low.csv: a length is below 0"]


def test_python_has_it_as_a_function_and_a_log_is_diagnosed_by_its_name():
    found = fulmen.check(prices(), None, "data.lookback_days=20")
    assert found.experiment == "stocks"
    assert found.taken[0].rows.startswith("300 days")
    assert trains(found.lines()[-1]).data.lookback_days == 20
    with pytest.raises(fulmen.FulmenError, match="there is no file"):
        fulmen.check("nosuch.csv")
    losses = {"train_loss": [1.0, 0.6, 0.4, 0.2, 0.1, 0.05, 0.02], "val_loss": [1.0, 0.8, 0.7, 0.8, 0.9, 1.1, 1.3]}
    pd.DataFrame({"epoch": range(1, 8), **losses}).to_csv("log.csv", index=False)
    assert "overfitting" in fulmen.diagnose("log.csv")
    assert "overfitting" in fulmen.diagnose(losses["train_loss"], losses["val_loss"])
    with pytest.raises(fulmen.FulmenError, match=r"fulmen\.diagnose"):
        fulmen.check("log.csv")


def test_files_experiments_and_settings_are_completed():
    prices()
    assert completions("fulmen check p") == ["px.csv"]
    assert "stocks" in completions("fulmen check px.csv --experiment st")
    assert completions("fulmen check px.csv --ex") == ["--experiment"]
    assert "data.lookback_days=" in completions("fulmen check px.csv --experiment stocks data.look")
