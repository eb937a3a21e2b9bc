"""Subjects and curves of other people are read to the value, or refused in one line whose call then works."""

import gzip
import io
import pickle
import re
import zipfile

import numpy as np
import pytest

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.data import PBPKData
from fulmen.workloads.pbpk.npz_reading import read_npz, read_subjects
from fulmen.workloads.pbpk.simulator.physiology import ORGANS
from fulmen.workloads.pbpk.simulator.population import ROUTES, SEXES
from fulmen.workloads.pbpk.unit_names import other_unit, times

SIZE = dict(compounds=12, validation_compounds=3, test_compounds=3)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Arrays of 12 solved subjects by name, as `PBPKData.export` writes them."""
    data = PBPKData(**SIZE, time_points=20)
    data.prepare_data()
    data.setup()
    with np.load(data.export(tmp_path_factory.mktemp("good") / "good.npz")) as file:
        return dict(file)


@pytest.fixture
def read(exported, tmp_path):
    """Reads the arrays as changed: name -> a function of the array, an array, or None for an absent one."""

    def make(changes, **said):
        arrays = dict(exported)
        for name, change in changes.items():
            arrays[name] = change(arrays[name]) if callable(change) else change
        kept = {name: np.asarray(array) for name, array in arrays.items() if array is not None}
        np.savez(tmp_path / "people.npz", **kept)
        return read_npz(tmp_path / "people.npz", "saturable", **said)

    return make


def by(factor):
    return lambda array: array * factor


def at(place, value):
    def change(array):
        array = np.array(array, dtype=float)
        array[place] = value
        return array

    return change


def each(names, factor):
    return dict.fromkeys(names, by(factor))


WIDE = ("volume_l", "flow_l_per_h", "kp", "density_kg_per_l", "concentration_mg_per_l")
TURNED = np.array([*range(5, 14), *range(5)])
FLOWS = ("cardiac_output_l_per_h", "flow_l_per_h")

READ = {  # what is changed, what is said of it
    "as exported": ({}, ""),
    "organs in another order": (dict.fromkeys((*WIDE, "organ"), lambda a: a[TURNED] if a.ndim == 1 else a[:, TURNED]),
                                "organs brought into the order used here"),
    "organs in capitals": ({"organ": lambda a: np.char.capitalize(a)}, "organs by other letters"),
    "organs as bytes": ({"organ": lambda a: a.astype("S9")}, ""),
    "routes as text": ({"route": lambda a: np.array(ROUTES)[a]}, "route as text"),
    "routes as bytes in capitals": ({"route": lambda a: np.char.upper(np.array(ROUTES)[a]).astype("S9")}, "as text"),
    "sexes as text": ({"sex": lambda a: np.array(SEXES)[a]}, "sex as text"),
    "compounds as text": ({"compound": lambda a: np.char.add("drug ", np.char.zfill(a.astype(str), 3))}, "compound as"),
    "single precision": ({"concentration_mg_per_l": lambda a: a.astype(np.float32)}, ""),
    "big endian": ({"weight_kg": lambda a: a.astype(">f8"), "time_h": lambda a: a.astype(">f8")}, ""),
    "without the start": ({"time_h": lambda a: a[1:], "concentration_mg_per_l": lambda a: a[..., 1:]}, ""),
    "arrays more": ({"note": "mine", "objects": np.array([{}, 1], dtype=object)}, "not used: note, objects"),
}  # fmt: skip


@pytest.mark.parametrize("case", READ)
def test_it_is_read_to_the_value_and_said(read, exported, case):
    changes, said = READ[case]
    arrays = read(changes)
    later = slice(1, None) if case == "without the start" else slice(None)
    for name in ("weight_kg", "kp", "volume_l", "route", "sex", "compound"):
        assert np.array_equal(arrays[name], exported[name]), name
    assert np.array_equal(arrays["time_h"], exported["time_h"][later])
    assert np.array_equal(arrays["concentration_mg_per_l"], exported["concentration_mg_per_l"][..., later])
    assert said in str(arrays["taken"])
    assert "not those of the equations" not in str(arrays["taken"])


CALLS = {  # what is changed, by what it is told: name, unit; or a word of the message
    "volumes in mL": (each(["volume_l"], 1000), ["volume_l / 1000"], "mL"),
    "weights in g": (each(["weight_kg"], 1000), ["weight_kg / 1000"], "g"),
    "weights in lb": (each(["weight_kg"], 1 / 0.45359237), ["weight_kg * 0.45359237"], "lb"),
    "weights in g and volumes in mL": (each(["weight_kg", "volume_l"], 1000),
                                       ["weight_kg / 1000", "volume_l / 1000"], "g"),
    "flows in L/min": (each(FLOWS, 1 / 60), [f"{name} * 60" for name in FLOWS], "L/min"),
    "flows in mL/min": (each(FLOWS, 1000 / 60), [f"{name} * 0.06" for name in FLOWS], "mL/min"),
    "the heart in L/min": (each(FLOWS[:1], 1 / 60), ["cardiac_output_l_per_h * 60"], "L/min"),
    "organ flows in mL/min": (each(FLOWS[1:], 1000 / 60), ["flow_l_per_h * 0.06"], "mL/min"),
    "doses in g": (each(["dose_mg"], 1e-3), ["dose_mg * 1000"], "in g"),
    "doses in ug": (each(["dose_mg"], 1000), ["dose_mg / 1000"], "ug"),
    "concentrations in ug/L": (each(["concentration_mg_per_l"], 1000), ["concentration_mg_per_l / 1000"], "ug/L"),
    "concentrations in g/L": (each(["concentration_mg_per_l"], 1e-3), ["concentration_mg_per_l * 1000"], "g/L"),
    "concentrations in ng/L": (each(["concentration_mg_per_l"], 1e6), ["concentration_mg_per_l / 1000000"], "ng/L"),
    "unbound percent": (each(["fraction_unbound"], 100), ["fraction_unbound / 100"], "percent"),
    "times in minutes": (each(["time_h"], 60), ["time_h / 60"], "minutes"),
    "times in seconds": (each(["time_h"], 3600), ["time_h / 3600"], "seconds"),
    "times in days": (each(["time_h"], 1 / 24), ["time_h * 24"], "days"),
    "absorption by the minute": (each(["absorption_rate_per_h"], 1 / 60), ["absorption_rate_per_h * 60"], "1/min"),
    "infusions in minutes": (each(["infusion_h"], 60), ["infusion_h / 60"], "minutes"),
    "times and absorption in minutes": ({"time_h": by(60), "absorption_rate_per_h": by(1 / 60)},
                                        ["time_h / 60", "absorption_rate_per_h * 60"], "minutes"),
    "all times in minutes": ({"time_h": by(60), "absorption_rate_per_h": by(1 / 60), "infusion_h": by(60)},
                             ["time_h / 60", "absorption_rate_per_h * 60", "infusion_h / 60"], "minutes"),
    "clearance in mL/min": (each(["clint_l_per_h"], 1 / 0.06), ["clint_l_per_h * 0.06"], "mL/min"),
    "everything in minutes": (
        {"time_h": by(60), "infusion_h": by(60)}
        | each((*FLOWS, "absorption_rate_per_h", "clint_l_per_h", "renal_clint_l_per_h"), 1 / 60),
        ["time_h / 60", "infusion_h / 60",
         *(f"{n} * 60" for n in (*FLOWS, "absorption_rate_per_h", "clint_l_per_h", "renal_clint_l_per_h"))],
        "minutes"),
    "flows as shares": ({"flow_l_per_h": lambda a: a / a[:, :1]}, ["flow_l_per_h * cardiac_output_l_per_h[:, None]"],
                        "shares"),
    "transposed curves": ({"concentration_mg_per_l": lambda a: a.transpose(0, 2, 1)},
                          ["concentration_mg_per_l.transpose(0, 2, 1)"], "expected (12, 14, 20)"),
    "times first": ({"concentration_mg_per_l": lambda a: a.transpose(2, 0, 1)},
                    ["concentration_mg_per_l.transpose(1, 2, 0)"], "expected (12, 14, 20)"),
    "organs first": ({"kp": lambda a: a.T}, ["kp.transpose(1, 0)"], "expected (12, 14)"),
    "weights as a column": ({"weight_kg": lambda a: a[:, None]}, ["weight_kg.reshape(12)"], "expected (12,)"),
}  # fmt: skip


@pytest.mark.parametrize("case", CALLS)
def test_it_is_refused_in_one_line_and_the_call_mends_it(read, exported, case):
    changes, calls, unit = CALLS[case]
    with pytest.raises(FulmenError) as refused:
        read(changes)
    message = str(refused.value)
    assert unit in message
    assert "\n" not in message
    assert all(f"save {call}" in message for call in calls)
    assert message.count("save ") == len(calls)
    mended = {}
    for call in calls:
        name = re.match(r"\w+", call)[0]
        values = {**exported, **{key: change(exported[key]) for key, change in changes.items()}, "np": np}
        mended[name] = eval(call, {"__builtins__": {}}, values)
    for name, value in mended.items():
        assert value == pytest.approx(np.asarray(exported[name]), rel=1e-6), name
    whole = {key: change(exported[key]) for key, change in changes.items()} | mended
    arrays = read(whole)
    assert "not those of the equations" not in str(arrays["taken"])


NAMES = {  # name in the file, that of the array, its factor, and what the message tells to type or save
    "dose_g": ("dose_mg", 1e-3, "save dose_mg=dose_g * 1000"),
    "dose_ug": ("dose_mg", 1e3, "save dose_mg=dose_ug / 1000"),
    "weight_lb": ("weight_kg", 2.2, "save weight_kg=weight_lb * 0.45359237"),
    "weight_g": ("weight_kg", 1e3, "save weight_kg=weight_g / 1000"),
    "time_min": ("time_h", 60, "save time_h=time_min / 60"),
    "time_s": ("time_h", 3600, "save time_h=time_s / 3600"),
    "volume_ml": ("volume_l", 1e3, "save volume_l=volume_ml / 1000"),
    "cardiac_output_l_per_min": ("cardiac_output_l_per_h", 1 / 60, "cardiac_output_l_per_min * 60"),
    "clint_ml_per_min": ("clint_l_per_h", 1 / 0.06, "save clint_l_per_h=clint_ml_per_min * 0.06"),
    "absorption_rate_per_min": ("absorption_rate_per_h", 1 / 60, "absorption_rate_per_min * 60"),
    "concentration_g_per_l": ("concentration_mg_per_l", 1e-3, "concentration_g_per_l * 1000"),
    "concentration_ng_per_ml": ("concentration_mg_per_l", 1e3, "concentration_ng_per_ml / 1000"),
    "fraction_unbound_percent": ("fraction_unbound", 100, "fraction_unbound_percent / 100"),
    "concentration_ug_per_ml": (
        "concentration_mg_per_l",
        1,
        "data.columns={concentration_mg_per_l:concentration_ug_per",
    ),
    "dose": ("dose_mg", 1, "is it dose as dose_mg? Then 'data.columns={dose_mg:dose}'"),
    "fu": ("fraction_unbound", 1, "data.columns={fraction_unbound:fu}"),
    "time": ("time_h", 1, "data.columns={time_h:time}"),
    "age": ("age_y", 1, "data.columns={age_y:age}"),
    "wieght_kg": ("weight_kg", 1, "data.columns={weight_kg:wieght_kg}"),
    "organs": ("organ", None, "data.columns={organ:organs}"),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_with_another_unit_or_none_is_asked_about(read, exported, name):
    wanted, factor, told = NAMES[name]
    array = exported[wanted] if factor is None else exported[wanted] * factor
    with pytest.raises(FulmenError) as refused:
        read({wanted: None, name: array})
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)
    if "data.columns" in told:
        assert np.array_equal(read({wanted: None, name: array}, columns={wanted: name})[wanted], exported[wanted])


def test_names_that_differ_in_signs_alone_are_taken_and_said(read, exported):
    arrays = read({"dose_mg": None, "Dose mg": exported["dose_mg"]})
    assert np.array_equal(arrays["dose_mg"], exported["dose_mg"])
    assert "Dose mg is dose_mg" in str(arrays["taken"])


REFUSED = {
    "-999": ({"weight_kg": at(3, -999)}, "weight_kg, subject 3: -999 marks a missing value"),
    "-999 in a curve": ({"concentration_mg_per_l": at((2, 3, 4), -999)}, r"\[2, 3, 4\].* marks a missing value"),
    "not a number": ({"dose_mg": at(1, np.nan)}, "dose_mg, subject 1: nan"),
    "not a number in a curve": ({"concentration_mg_per_l": at((2, 3, 4), np.nan)}, r"_mg_per_l\[2, 3, 4\] is nan"),
    "an age of 999": ({"age_y": at(2, 999)}, "age_y, subject 2: 999; nobody is older"),
    "times backwards": ({"time_h": lambda a: a[::-1]}, r"start at 0 or later and increase; time_h\[1\]"),
    "a time twice": ({"time_h": at(3, 0.0)}, r"time_h\[3\] is 0 after"),
    "times before the dose": ({"time_h": lambda a: a - 1}, r"time_h\[0\] is -1: 0 is the first dose"),
    "other kinetics": ({"kinetics": np.array("linear")}, r"data\.kinetics=linear"),
    "unknown kinetics": ({"kinetics": np.array("michaelis")}, "kinetics is 'michaelis'"),
    "an organ that is not here": ({"organ": lambda a: np.where(a == "adipose", "fat", a)}, "nothing is called 'fat'"),
    "an organ nearly named": ({"organ": lambda a: np.where(a == "adipose", "adipos", a)}, "did you mean adipose"),
    "an organ twice": ({"organ": lambda a: np.where(a == "skin", "bone", a)}, "bone twice"),
    "an organ left out": ({"organ": lambda a: a[:-1]}, "no other"),
    "a route that is not here": ({"route": lambda a: np.where(a == 2, "po", "bolus")}, "route, subject .*'po'"),
    "a subject twice": ({name: (lambda a: np.concatenate([a, a[:1]])) for name in (
        "weight_kg", "cardiac_output_l_per_h", "volume_l", "flow_l_per_h", "kp", "blood_plasma_ratio",
        "fraction_unbound", "clint_l_per_h", "renal_clint_l_per_h", "km_mg_per_l", "lipophilicity",
        "absorption_rate_per_h", "bioavailability", "route", "dose_mg", "infusion_h", "compound", "age_y", "sex",
        "density_kg_per_l", "gut_extraction", "concentration_mg_per_l")}, r"1 subjects repeat .*\(first: 12\)"),
    "more than was given": ({"concentration_mg_per_l": by(5)}, "holds up to .* mg but was given"),
    "text for numbers": ({"weight_kg": lambda a: a.astype(str)}, "weight_kg holds <U"),
    "objects": ({"weight_kg": lambda a: np.array([1, "a"], dtype=object)}, "weight_kg holds Python objects"),
    "no doses": ({"dose_mg": None}, "the array dose_mg is missing"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_in_one_line(read, case):
    changes, message = REFUSED[case]
    with pytest.raises(FulmenError, match=message) as refused:
        read(changes)
    assert "\n" not in str(refused.value)


def zipped(name):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, b"content")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "an HDF5 file"),
        (b"MATLAB 5.0 MAT-file" + bytes(99), r"scipy\.io\.loadmat"),
        (pickle.dumps({"a": [1]}), "a pickle"),
        (zipped("x/data.pkl"), r"a file of torch\.save"),
        (b"weight_kg,dose_mg\n70,100\n", "no .npz but text"),
    ],
)
def test_what_is_no_npz_is_named_by_its_content(tmp_path, content, message):
    (tmp_path / "people.npz").write_bytes(content)
    for reader in (lambda path: read_npz(path, "saturable"), lambda path: read_subjects(path, None)):
        with pytest.raises(FulmenError, match=message) as refused:
            reader(tmp_path / "people.npz")
        assert "\n" not in str(refused.value)


def test_a_packed_file_is_read(tmp_path, exported):
    file = io.BytesIO()
    np.savez(file, **exported)
    (tmp_path / "people.npz.gz").write_bytes(gzip.compress(file.getvalue()))
    assert np.array_equal(read_npz(tmp_path / "people.npz.gz", "saturable")["kp"], exported["kp"])


def test_curves_of_other_equations_are_read_with_a_doubt(read):
    slower = np.exp(-np.arange(20) / 3)
    arrays = read({"concentration_mg_per_l": lambda a: a * slower})
    assert "not those of the equations here" in str(arrays["taken"])


def test_curves_that_are_a_factor_lower_are_read_with_a_doubt(read):
    arrays = read({"concentration_mg_per_l": lambda a: 0.3 * a})
    assert "are 0.3 times those of the equations here" in str(arrays["taken"])


def test_one_bolus_in_another_unit_is_named(read, exported):
    (first, *_) = np.flatnonzero(exported["route"] == 0)
    with pytest.raises(FulmenError, match=rf"subject {first} holds 0\.001 of its bolus"):
        read({"dose_mg": at(first, 1000 * exported["dose_mg"][first])})


def test_noise_is_no_doubt(read):
    noise = np.random.default_rng(0).lognormal(0, 0.05, (12, 14, 20))
    assert "not those" not in str(read({"concentration_mg_per_l": lambda a: 0.9 * a * noise})["taken"])


def test_numbers_as_named_are_taken_as_they_are(read):
    assert read({"time_h": by(60)}, units="as_named")["time_h"][-1] == 24 * 60
    with pytest.raises(FulmenError, match=r"if all is as its name says: data\.units=as_named"):
        read({"time_h": by(60)})


def test_one_drug_under_two_numbers_is_told(read):
    def alike(array):
        array = np.array(array)
        array[1] = array[0]
        return array

    arrays = read({"kp": alike, "fraction_unbound": alike, "blood_plasma_ratio": alike}, units="as_named")
    assert "1 numbers in compound have the partition coefficients" in str(arrays["taken"])


def test_subjects_for_predictions_are_held_against_physiology_too(tmp_path, exported):
    people = {name: array for name, array in exported.items() if name not in ("concentration_mg_per_l", "time_h")}
    np.savez(tmp_path / "people.npz", **people | {name: people[name] / 60 for name in FLOWS})
    with pytest.raises(FulmenError, match=r"save cardiac_output_l_per_h \* 60.*save flow_l_per_h \* 60"):
        read_subjects(tmp_path / "people.npz", "saturable")
    assert read_subjects(tmp_path / "people.npz", "saturable", units="as_named")["weight_kg"].shape == (12,)


def test_a_data_set_says_what_was_taken(tmp_path, exported):
    np.savez(tmp_path / "people.npz", **exported)
    for _ in range(2):  # built, and from the cache
        data = PBPKData(**SIZE, npz=str(tmp_path / "people.npz"), cache=str(tmp_path / "cache"))
        data.prepare_data()
        data.setup()
        (taken,) = data.taken
        assert taken.source == str(tmp_path / "people.npz")
        assert taken.rows.startswith("12 subjects of 12 compounds, 20 times from 0 to 24 h")
    with np.load(data.export(tmp_path / "again.npz")) as file:
        assert "taken" not in file
        assert all(np.array_equal(file[name], exported[name]) for name in exported)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("dose_mg", None),
        ("dose_g", ("dose_mg", "g", 1000.0)),
        ("flow_ml_per_min", ("flow_l_per_h", "ml/min", 0.06)),
        ("density_g_per_ml", ("density_kg_per_l", "g/ml", 1.0)),
        ("interval_days", ("interval_h", "days", 24.0)),
        ("note", None),
    ],
)
def test_units_in_names(name, found):
    wanted = ["dose_mg", "flow_l_per_h", "density_kg_per_l", "interval_h"]
    assert other_unit(name, wanted) == (found and (*found[:2], pytest.approx(found[2])))
    assert [times(factor) for factor in (60, 1 / 60, 0.06, 1e-6)] == ["* 60", "/ 60", "* 0.06", "/ 1000000"]
    assert len(ORGANS) == 14
