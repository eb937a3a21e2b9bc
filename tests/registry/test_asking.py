"""`fulmen predict` explains its input as a table, writes an example, and takes single values by words."""

import io
import json

import pandas as pd
import pytest

from fulmen.cli import main
from fulmen.config.schema import project_root
from fulmen.data.ranges import counted
from fulmen.registry import asking
from fulmen.registry.predictor import Predictor
from fulmen.registry.store import Store
from fulmen.workloads.stocks import predict as stocks
from fulmen.workloads.stocks.simulator import simulate_market

MODELS = project_root() / "tests" / "frozen" / "4332109" / "models"
FILES = [("pbpk", "npz"), ("sensors", "csv"), ("sensors", "parquet"), ("stocks", "csv"), ("images", "npz"),
         ("images", "npy")]  # fmt: skip


@pytest.fixture
def said(capsys):
    def run(*words):
        code = main(["predict", *map(str, words), "--registry", str(MODELS)])
        printed = capsys.readouterr()
        return printed.out, printed.err, code

    return run


@pytest.fixture
def predicted(said):
    def run(*words):
        out, err, code = said(*words)
        assert code == 0, err
        return pd.read_csv(io.StringIO(out))

    return run


@pytest.mark.parametrize("workload", ["images", "pbpk", "sensors", "stocks"])
def test_the_input_is_explained_in_a_table_that_fits_a_screen(said, workload):
    out, _, code = said(workload, "--explain")
    lines = out.splitlines()
    assert code == 0
    assert len(lines) < 50
    head = next(line for line in lines if "seen in training" in line)
    assert head.split() == ["name", "unit", "seen", "in", "training", "note"]
    assert {"format"} <= json.loads(said(workload, "--explain", "--json")[0]).keys()


def test_organs_stand_in_one_line(said):
    lines = said("pbpk", "--explain")[0].splitlines()
    (volume,) = [line for line in lines if "volume_l" in line]
    assert "one for each of 14 organs" in volume
    assert any(line.startswith("organ: blood, liver") for line in lines)
    assert any("route" in line and "bolus, infusion, oral" in line for line in lines)


@pytest.mark.parametrize(("workload", "ending"), FILES)
def test_an_example_is_a_file_that_predict_reads_as_it_stands(said, predicted, workload, ending, tmp_path):
    path = tmp_path / f"example.{ending}"
    out, err, code = said(workload, "--example", path)
    assert (code, f"fulmen predict {workload} {path}" in out) == (0, True), err
    assert len(predicted(workload, path)) > 0


@pytest.mark.parametrize("workload", ["pbpk", "sensors"])
def test_an_example_predicts_in_a_file_what_it_predicts_in_memory(predicted, said, workload, tmp_path):
    word = {"pbpk": "dose_mg=100", "sensors": "temperature_c=30"}[workload]
    path = tmp_path / {"pbpk": "one.npz", "sensors": "one.csv"}[workload]
    said(workload, "--example", path, "--set", word)
    one, other = predicted(workload, path), predicted(workload, "--set", word)
    number = list(one.select_dtypes("number").columns.drop(["row", "subject"], errors="ignore"))
    pd.testing.assert_frame_equal(one[number], other[number], rtol=1e-5)


def test_one_subject_is_predicted_by_words(predicted):
    low, high = (predicted("pbpk", "--set", f"dose_mg={dose}", "route=oral") for dose in (100, 200))
    assert len(low) == 14 * low["time_h"].nunique()
    assert high["concentration_mg_per_l"].sum() > low["concentration_mg_per_l"].sum()


def test_a_subject_stays_whole_whatever_is_set_of_it(predicted):
    words = ["weight_kg=80", "cardiac_output_l_per_h=400", "blood_plasma_ratio=1.2", "route=infusion"]
    assert len(predicted("pbpk", "--set", *words)) > 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["pbpk", "--set", "dose_m=1"], "--set dose_m=1: pbpk:1 reads no dose_m; did you mean dose_mg?"),
        (["pbpk", "--set", "kp.livr=1"], "there is no livr of kp; did you mean liver?"),
        (["pbpk", "--set", "dose_mg.x=1"], "there is no x of dose_mg; dose_mg is a single value"),
        (["pbpk", "--set", "dose_mg=much"], "error: dose_mg: 'much' is no number"),
        (["pbpk", "--set", "route=nasal"], "error: route: 'nasal' is no route; there is bolus, infusion, oral"),
        (["pbpk", "--set", "weight_kg=0"], "error: weight_kg: 0; it must be finite, above 0"),
        (["pbpk", "--example", "a.csv"], "--example a.csv: pbpk:1 reads .npz files"),
        (["pbpk", "--example", "a.npz", "-o", "b.csv"], "--example predicts nothing: leave out -o b.csv"),
        (["pbpk", "a.npz", "--set", "dose_mg=1"], "--set makes the input: leave out a.npz"),
        (["pbpk", "--json"], "--json goes with --explain"),
        (["pbpk"], "--example FILE writes an example of it"),
        (["stocks", "--set", "Close=-1"], "rows[79].Close: -1; it must be above 0"),
        (["nobody", "--set", "a=1"], "there is no model nobody"),
    ],
)
def test_what_cannot_be_asked_is_one_line(said, words, message):
    out, err, code = said(*words)
    assert (out, code, err.count("\n")) == ("", 2, 1)
    assert message in err


def test_a_value_of_a_series_is_that_of_its_last_row_and_a_name_that_of_all():
    predictor = Predictor(Store(MODELS).find("stocks"))
    records = asking.example(predictor)
    changed = asking.with_values(predictor, records, ["Volume=5", "Ticker=ABC"])
    assert [record["Volume"] == 5 for record in changed] == [False] * (len(records) - 1) + [True]
    assert {record["Ticker"] for record in changed} == {"ABC"}


def test_what_repeats_is_counted():
    assert counted(["a", "b", "c"], "more") == ["a", "b", "c"]
    assert counted(list("abcde"), "more are outside") == ["a", "b", "c", "2 more are outside"]


def test_of_many_tickers_out_of_range_three_are_named_and_the_others_counted():
    schema = Store(MODELS).find("stocks").manifest["input_schema"]
    schema = schema | {"features": [{**each, "range": [10.0, 11.0]} for each in schema["features"]]}
    market = [simulate_market(90, seed=0, ticker=f"T{number}") for number in range(30)]
    warnings = stocks.inputs(market, schema).warnings
    assert len(warnings) == 4 * len(schema["features"])
    assert warnings[3] == "27 more tickers have return outside the range in training"


def test_a_wrong_name_is_told_before_a_missing_input(said):
    _, err, code = said("pbp")
    assert code == 2
    assert "did you mean pbpk?" in err


def test_times_are_written_as_people_write_them(predicted):
    hours = predicted("pbpk", "--set", "dose_mg=100")["time_h"].astype(str)
    assert hours.str.replace(".", "").str.strip("0").str.len().max() <= 6
