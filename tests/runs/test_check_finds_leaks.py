"""`fulmen check` scans a file for leaks as a training does, without one."""

import json

import leak_lab
import numpy as np
import pandas as pd
import pytest

import fulmen
from fulmen.cli import main
from fulmen.report.leaks import PROVES_NOTHING

TYPED = ["--experiment", "leakcheck"]


@pytest.fixture(scope="module", autouse=True)
def lab(tmp_path_factory):
    with leak_lab.lab(tmp_path_factory.mktemp("lab"), "leakcheck") as folder:
        yield folder


@pytest.fixture
def said(capfd):
    def said(*words):
        code = main(["check", *words, *TYPED])
        out, err = capfd.readouterr()
        assert err == ""
        return out.splitlines(), code

    return said


def test_leaks_stand_before_the_command_and_strict_ends_with_1(said):
    out, code = said("copies.csv")
    found = [line for line in out if line.startswith("leak: ")]
    assert code == 0
    assert found[0].startswith("leak: FUL-L01 copies: ")
    assert out.index(found[-1]) == len(out) - 2
    assert out[-1].endswith("experiment=leakcheck data.csv=copies.csv")
    assert said("copies.csv", "--strict")[1] == 1
    assert said("copies.csv", "leaks=strict")[1] == 1
    assert said("copies.csv", "--strict", "findings.ignore=[FUL-L01]")[1] == 0


def test_the_command_leaves_out_what_leaks(said):
    leak_lab.leaky("d", rows=600).to_csv("leaky.csv", index=False)
    out, _ = said("leaky.csv")
    assert out[-2] == "without what leaks ('data.leave_out=[d]'):"
    assert out[-1].endswith("data.csv=leaky.csv 'data.leave_out=[d]'")
    out, _ = said("leaky.csv", "findings.ignore=FUL-L06")
    assert "data.leave_out" not in out[-1]
    assert out[-2].startswith("leaks: no other leak found; ")


def test_cures_of_tables_are_typed_as_they_are_said(capfd):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(400, 3)), columns=["a", "b", "c"]).round(3)
    table["fail"] = (table["a"] + rng.normal(size=400) > 0).astype(int)
    table["same"] = np.where(table["fail"] == 1, 7.5, 2.5)
    table.to_csv("table.csv", index=False)
    typed = ["data.numeric=[a,b,c,same]", "data.forbidden=[]", "data.group=null", "data.time=null", "data.target=fail"]
    assert main(["check", "table.csv", "--experiment", "sensors", *typed]) == 0
    *_, what, last = capfd.readouterr().out.splitlines()
    assert what == "without what leaks ('data.numeric=[a,b,c]'):"
    assert "'data.numeric=[a,b,c]'" in last
    assert "data.target=fail" in last
    assert "same" not in last


def test_where_nothing_is_found_it_says_how_little_that_proves(said):
    out, code = said("honest.csv", "--strict")
    assert code == 0
    assert out[-2] == f"leaks: none found; {PROVES_NOTHING}"
    out, _ = said("honest.csv", "leaks=off")
    assert not any(line.startswith("leak") for line in out)


def test_programs_get_them_as_json_and_python_as_objects(said):
    out, code = said("copies.csv", "--json", "--strict")
    plain = json.loads("\n".join(out))
    assert code == 1
    assert plain["leaks"][0]["id"] == "FUL-L01"
    assert plain["leaks"][0]["evidence"]["splits"] == ["train", "validation"]
    out, _ = said("copies.csv", "--json", "findings.ignore=[copies,repeated_within]")
    plain = json.loads("\n".join(out))
    assert (plain["leaks"], [each["id"] for each in plain["ignored"]][:1]) == ([], ["FUL-L01"])
    found = fulmen.check("copies.csv", "leakcheck")
    assert [leak.code for leak in found.leaks][:3] == ["copies"] * 3
    assert found.is_wrong
    assert not fulmen.check("honest.csv", "leakcheck").leaks


def test_what_makes_data_unfit_has_a_code(said):
    table = leak_lab.honest(60)
    table.assign(y=1).to_csv("one.csv", index=False)
    table.head(40).to_csv("few.csv", index=False)
    sorted_by_class = table.assign(y=np.where(np.arange(60) % 5 == 0, 0, np.arange(60) % 2))
    sorted_by_class.to_csv("split.csv", index=False)
    for file, code, what in (("one.csv", "T00", "y has one value alone"), ("few.csv", "T03", "8 to test on"),
                             ("split.csv", "T01", "of the test split are of one class")):  # fmt: skip
        out, _ = said(file)
        (line,) = [line for line in out if line.startswith(f"data: FUL-{code}")]
        assert what in line


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda t: t.assign(status="ok"), "FUL-T00 constant target"),
        (lambda t: t.assign(unit="M1"), "FUL-T02 one group"),
        (lambda t: t.assign(status=np.where(np.arange(len(t)) == 3, "fail", "ok")), "FUL-T01 one class in a split"),
        (lambda t: t.head(12).assign(unit=[f"M{i % 2}" for i in range(12)]), "FUL-T03 too few rows"),
    ],
)
def test_what_a_reader_refuses_has_the_same_codes(change, code, capfd):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(size=300), "b": rng.normal(size=300),
                          "unit": [f"M{i % 10}" for i in range(300)],
                          "status": rng.choice(["ok", "fail"], 300)})  # fmt: skip
    change(table).to_csv("pumps.csv", index=False)
    code_of_exit = main(["check", "pumps.csv", "--experiment", "sensors", "data.numeric=[a,b]", "data.target=status",
                         "data.labels=[ok,fail]", "data.group=unit", "data.time=null"])  # fmt: skip
    err = capfd.readouterr().err
    assert code_of_exit != 0
    assert code in err
    assert len(err.splitlines()) == 1
