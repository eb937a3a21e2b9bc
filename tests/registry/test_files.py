"""Files for `fulmen predict`: what does not fit the model is one line, before anything is predicted; advice works."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
import torch

from fulmen.cli import main
from fulmen.config.check import build, check_overrides
from fulmen.config.schema import project_root
from fulmen.data.answering import Note
from fulmen.errors import FulmenError
from fulmen.registry.models import input_schema
from fulmen.registry.store import Store
from fulmen.registry.using import predict
from fulmen.workloads.pbpk.npz import arrays_from
from fulmen.workloads.pbpk.simulator.physiology import ORGANS
from fulmen.workloads.pbpk.simulator.population import ROUTES
from fulmen.workloads.pbpk.simulator.sampling import sample_population

MODELS = project_root() / "tests" / "frozen" / "4332109" / "models"


def asked(name, path, *overrides):
    """The prediction for a file with its warnings and notes, or the line that refuses it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            table = predict(name, path, MODELS, overrides)
        except FulmenError as error:
            return str(error)
    said = " ".join(str(warning.message) for warning in caught if warning.category in (UserWarning, Note))
    assert np.isfinite(table.select_dtypes("number").to_numpy()).all()
    return len(table), said


def subjects(**changes):
    population = sample_population(2, seed=3)
    arrays = arrays_from(population, torch.ones(1), torch.ones(2, 14, 1), "saturable")
    arrays = {name: array for name, array in arrays.items() if name not in ("time_h", "concentration_mg_per_l")}
    for name, change in changes.items():
        arrays[name] = change(arrays[name]) if callable(change) else np.array(change)
    return {name: array for name, array in arrays.items() if array.dtype != object}


def at(subject, organ, value):
    def change(array):
        array = array.copy()
        array[subject, organ] = value
        return array

    return change


def nan_in_the_second(array):
    array = array.astype(float)
    array[1, ...] = np.nan
    return array


def in_single_precision(array):
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def of_each(change):
    return dict.fromkeys(sample_population(1, seed=3).tensors(), change)


ROWS = len(ORGANS) * len(input_schema(Store(MODELS).find("pbpk"))["time_h"])
PBPK = {
    "as exported": ({}, (2 * ROWS, "outside")),
    "one subject": (of_each(lambda array: array[:1]), (ROWS, "")),
    "no subject": (of_each(lambda array: array[:0]), "it holds no subject"),
    "three doses": ({"n_doses": 3}, "n_doses is 3; the model was trained on 1 and knows no other"),
    "half a dose more": ({"n_doses": 1.5}, "a whole number of at least 1"),
    "doses without number": ({"n_doses": np.nan}, "a whole number of at least 1"),
    "no dose": ({"n_doses": 0}, "a whole number of at least 1"),
    "an endless interval": ({"interval_h": np.inf}, "finite and above 0"),
    "another interval of one dose": ({"interval_h": 5.0}, (2 * ROWS, "")),
    "routes in another order": ({"route_name": ROUTES[::-1]}, "route_name must be bolus, infusion, oral"),
    "organs in another order than their values": ({"organ": ORGANS[::-1]}, "flow_l_per_h"),
    "other kinetics": ({"kinetics": "linear"}, "take a model that was trained with data.kinetics=linear"),
    "other times": ({"time_h": [0.0, 2.0, 20.0]}, (2 * len(ORGANS) * 2, "outside")),
    "times beyond those of the training": ({"time_h": [2.0, 200.0]}, "time_h[1] is 200 h; the model was trained from"),
    "times of one week": ({"time_h": [1.0, 168.0]}, "leave it out, train with data.hours=168, or solve the equations"),
    "times before the first": ({"time_h": [1e-3, 2.0]}, "knows no other times: leave it out, or solve"),
    "times before the dose": ({"time_h": [-1.0, 2.0]}, "time_h[0] is -1 h; the model was trained from"),
    "times out of order": ({"time_h": [1.0, 3.0, 2.0]}, "time_h[2] is 2 h, after 3 h; it has to hold increasing times"),
    "a time twice": ({"time_h": [1.0, 1.0]}, "time_h[1] is 1 h, after 1 h"),
    "a time that is NaN": ({"time_h": [1.0, np.nan]}, "time_h[1] is no finite number of hours"),
    "no time": ({"time_h": np.zeros(0)}, "increasing times in hours, at least one"),
    "the start alone": ({"time_h": [0.0]}, "time_h holds 0 alone"),
    "a table of times": ({"time_h": np.ones((2, 2))}, "time_h has shape (2, 2), expected (4,)"),
    "no route": ({"route": None}, "the array route is missing"),
    "an unknown route": ({"route": [0, 3]}, "route, subject 1: 3; it must be 0 to 2: bolus, infusion, oral"),
    "half a route": ({"route": [0, 0.5]}, "route, subject 1: 0.5; it must be a whole number"),
    "an infusion that is none": ({"route": [0, 0], "infusion_h": [0, 1.0]}, "infusion_h, subject 1: 1; it must be"),
    "an age beyond the tables": ({"age_y": [35, 120]}, (2 * ROWS, "age_y is 120 for subject 1, beyond the tables")),
    "no age at all": ({"age_y": [35, -1]}, "age_y, subject 1: -1; it must be finite, above 0"),
    "an unknown sex": ({"sex": [0, 7]}, "sex, subject 1: 7; it must be 0 to 1: male, female"),
    "a body of a tonne": (
        {name: lambda array: 20 * array for name in ("weight_kg", "volume_l")},
        (2 * ROWS, "weight_kg is"),
    ),
    "another weight than the organs have": (
        {"weight_kg": lambda weight: weight * 2},
        "volume_l (mass of the organs in",
    ),
    "flows that do not sum": ({"flow_l_per_h": at(1, 3, 99.0)}, "flow_l_per_h (sum of the organs), subject 1: "),
    "volumes that do not sum": ({"volume_l": at(1, 3, 99.0)}, "volume_l (mass of the organs in kg), subject 1: "),
    "the blood's other ratio": ({"kp": at(1, 0, 9.0)}, "kp of the blood, subject 1: 9; it must be blood_plasma_ratio"),
    "more than the whole unbound": (
        {"fraction_unbound": [0.1, 1.2]},
        "fraction_unbound, subject 1: 1.2; it must be in",
    ),
    "more than the whole absorbed": ({"bioavailability": [0.1, 1.2]}, "bioavailability, subject 1: 1.2; it must be"),
    "too much for single precision": ({"dose_mg": [1.0, 1e300]}, "dose_mg, subject 1: 1e+300; single precision does"),
    "complex numbers": ({"dose_mg": [1j, 2j]}, "dose_mg holds complex128, expected numbers"),
    "five organs": ({"kp": lambda kp: kp[:, :5]}, "kp has shape (2, 5), expected (2, 14)"),
    "single precision": (of_each(in_single_precision), (2 * ROWS, "")),
    **{
        f"NaN in {name}": ({name: nan_in_the_second}, ", subject 1: nan; it must be finite")
        for name in sample_population(1, seed=3).tensors()
    },
    "an array more": ({"dose_unit": "g"}, (2 * ROWS, "not used: dose_unit")),
    "an array less": ({"kp": None}, "the array kp is missing"),
    "NaN": ({"weight_kg": lambda weight: weight * np.nan}, "weight_kg, subject 0: nan"),
    "another shape": ({"weight_kg": lambda weight: weight[:, None]}, "weight_kg has shape (2, 1), expected (2,)"),
    "a single number": ({"weight_kg": 70.0}, "weight_kg has shape (), expected (1,)"),
    "text": ({"weight_kg": ["70", "80"]}, "weight_kg holds <U2, expected numbers"),
}


@pytest.mark.parametrize("case", PBPK)
def test_subjects(case, tmp_path):
    changes, expected = PBPK[case]
    np.savez(tmp_path / "x.npz", **subjects(**changes))
    judge(asked("pbpk", tmp_path / "x.npz"), expected)


def judge(found, expected):
    if isinstance(expected, str):
        assert isinstance(found, str), f"not refused: {found}"
        assert "\n" not in found
        assert expected in found
    else:
        assert found[0] == expected[0], found
        assert expected[1] in found[1]


IMAGE = np.random.default_rng(0).integers(0, 255, (3, 32, 32, 3)).astype("uint8")
IMAGES = {
    "as described": ({"x": IMAGE}, (3, "")),
    "one": ({"x": IMAGE[:1]}, (1, "")),
    "grey": ({"x": IMAGE[:2, ..., 0]}, (2, "")),
    "grey, or one in colour": ({"x": IMAGE[..., 0]}, "one image in colour, or three grey ones? Save x[None] for one"),
    "none": ({"x": IMAGE[:0]}, "x holds no image"),
    "no array x": ({"y": IMAGE}, "no column x; there is y"),
    "brightness to 1": ({"x": IMAGE / 255}, (3, "holds 0 (black) to 1")),
    "NaN": ({"x": IMAGE * np.nan}, "x[0, 0, 0, 0] is nan; every pixel has to be a number"),
    "16 bits": ({"x": IMAGE.astype("uint16") * 257}, (3, "holds 0 (black) to 65535")),
    "12 bits": ({"x": IMAGE.astype("uint16") * 16}, "is 4095 white? Then 'data.pixel_range=[0,4095]'"),
    "channels first": ({"x": IMAGE.transpose(0, 3, 1, 2)}, (3, "data.channels=first")),
    "with transparency": ({"x": np.concatenate([IMAGE, IMAGE[..., :1]], -1)}, (3, "opacity and left out")),
    "another size": ({"x": IMAGE[:, :16]}, "x has images of 16 x 32; trained on 32 x 32"),
}


@pytest.mark.parametrize("case", IMAGES)
def test_images(case, tmp_path):
    arrays, expected = IMAGES[case]
    np.savez(tmp_path / "x.npz", **arrays)
    judge(asked("images", tmp_path / "x.npz"), expected)


def prices(days=120, **changes):
    close = 100 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.01, days)))
    date = pd.bdate_range("2020-01-01", periods=days).strftime("%Y-%m-%d")
    table = {"Date": date, "Open": close, "High": close * 1.01, "Low": close * 0.99, "Close": close, "Volume": 1000.0}
    return pd.DataFrame(table | changes)


def readings(rows=5, **changes):
    table = {}
    for column in input_schema(Store(MODELS).find("sensors"))["columns"]:
        times = pd.date_range("2024-01-01", periods=rows, freq="h").strftime("%Y-%m-%dT%H:%M:%S")
        other = times if "time" in column["dtype"] else "m1"
        table[column["name"]] = np.full(rows, np.mean(column["range"])) if "range" in column else other
    return pd.DataFrame(table | changes)


def csv(table, **how):
    return table.to_csv(index=False, **how)


TABLES = {
    ("stocks", "as described"): (csv(prices()), (41, "")),
    ("stocks", "just enough days"): (csv(prices(80)), (1, "")),
    ("stocks", "nothing"): ("", "the file is empty"),
    ("stocks", "a header"): (csv(prices(0)), "there is no row below the header"),
    ("stocks", "one day"): (csv(prices(1)), "give at least 80 days"),
    ("stocks", "a day too few"): (csv(prices(79)), "give at least 80 days"),
    ("stocks", "NaN"): (csv(prices(Close=np.nan)), "line 2, column Close: is empty"),
    ("stocks", "prices below 0"): (csv(prices(Close=-1.0)), "line 2, column Close: -1; it must be above 0"),
    ("stocks", "backwards"): (csv(prices()[::-1]), (41, "")),
    ("stocks", "in disorder"): (csv(prices().iloc[[0, 2, 1, *range(3, 120)]]), "lies before the line above it"),
    ("stocks", "one date"): (csv(prices(Date="31/01/2020")), "repeats the day of line 2"),
    ("stocks", "semicolons"): (csv(prices(), sep=";"), (41, "")),
    ("stocks", "busy days"): (csv(prices(Volume=1e5)), (41, "")),
    ("sensors", "as described"): (csv(readings()), (5, "")),
    ("sensors", "one row"): (csv(readings(1)), (1, "")),
    ("sensors", "nothing"): ("", "the file is empty"),
    ("sensors", "a header"): (csv(readings(0)), "there is no row below the header"),
    ("sensors", "a gap"): (csv(readings(light_lux=[1.0, np.nan, 1.0, 1.0, 1.0])), (5, "")),
    ("sensors", "infinite"): (csv(readings(light_lux=np.inf)), "is infinite"),
    ("sensors", "text"): (csv(readings(light_lux="dark")), "'dark' is no number"),
    ("sensors", "Fahrenheit"): (csv(readings(temperature_c=190.0)), (5, "outside the range")),
    ("sensors", "a column less"): (csv(readings().drop(columns="light_lux")), "no column light_lux"),
    ("sensors", "no machine"): (csv(readings(machine="")), "empty; every row needs one"),
    ("sensors", "semicolons"): (csv(readings(), sep=";"), (5, "columns divided by semicolon")),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLES, ids="-".join)
def test_tables(case, tmp_path):
    text, expected = TABLES[case]
    (tmp_path / "x.csv").write_text(text)
    judge(asked(case[0], tmp_path / "x.csv"), expected)


@pytest.mark.parametrize("name", ["pbpk", "images", "sensors", "stocks"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01", b"PK\x03\x04", b"\x80\x04K\x01."])
def test_what_is_no_such_file_is_one_line(name, content, tmp_path):
    for suffix in (".npz", ".npy") if name in ("pbpk", "images") else (".csv", ".csv.gz", ".parquet"):
        path = tmp_path / f"x{suffix}"
        path.write_bytes(content)
        judge(asked(name, path), str(path))


@pytest.mark.parametrize(("delimiter", "typed"), [(";", "semicolon"), ("\t", "tab"), ("|", "bar")])
def test_a_delimiter_is_found_out_or_taken_by_predict_and_by_train(delimiter, typed, tmp_path):
    path, out = tmp_path / "x.csv", tmp_path / "out.csv"
    path.write_text(csv(readings(), sep=delimiter))
    line = ["predict", "sensors", str(path), "-o", str(out), "--registry", str(MODELS)]
    for more in ([], [f"data.delimiter={typed}"], [f"data.delimiter={delimiter}"]):
        assert main([*line, *more]) == 0
        assert len(pd.read_csv(out)) == 5
    advised = f"data.delimiter={typed}"
    data = build(check_overrides(["experiment=sensors", f"data.csv={path}", "data.split=random", advised]).data, "data")
    assert data.options.character == delimiter


def test_the_days_that_are_advised_suffice_at_once(tmp_path):
    (tmp_path / "x.csv").write_text(csv(prices(1)))
    needed = int(re.search(r"give at least (\d+) days", asked("stocks", tmp_path / "x.csv"))[1])
    (tmp_path / "x.csv").write_text(csv(prices(needed)))
    assert asked("stocks", tmp_path / "x.csv") == (1, "")


@pytest.mark.parametrize("override", ["data.kinetics=linear", "trainer.max_epochs=3", "data.delimitr=;", "model.lr=1"])
@pytest.mark.parametrize("name", ["pbpk", "sensors"])
def test_what_training_has_decided_is_not_taken_by_predict(name, override, tmp_path):
    (tmp_path / "x.csv").write_text(csv(readings()))
    said = asked(name, tmp_path / "x.csv", override)
    assert "all else was decided when the model was trained" in said
    assert ("did you mean data.delimiter?" in said) == (name == "sensors" and "delimitr" in override)
