"""Every finding has a code that stays, and a page that says what it means."""

import json
import re

import pytest

from fulmen.cli import main
from fulmen.config.schema import project_root
from fulmen.diagnosis.findings import DIAGNOSIS, FINDINGS, finding
from fulmen.diagnosis.texts import TEXTS
from fulmen.diagnosis.verdicts import Verdict, diagnose
from fulmen.errors import FulmenError

PAGES = project_root() / "docs" / "findings"
HEADINGS = ["How it is decided", "How often it is wrong", "What to do"]


def test_codes_stay_what_they_are():
    """Written out: a code that moves to another finding breaks what people have set."""
    known = {
        "FUL-D03": "overfitting", "FUL-D04": "underfitting", "FUL-D05": "no_learning",
        "FUL-D11": "validation_too_good", "FUL-D18": "small_validation_set", "FUL-D27": "undecided",
        "FUL-L01": "copies", "FUL-L07": "target_proxy", "FUL-L13": "repeated_within", "FUL-V02": "no_signal",
        "FUL-T05": "irregular_times",
    }  # fmt: skip
    codes = {each.code: name for name, each in FINDINGS.items()}
    assert {code: codes[code] for code in known} == known
    assert len(codes) == len(FINDINGS)
    assert set(DIAGNOSIS) == set(TEXTS)


@pytest.mark.parametrize("name", FINDINGS)
def test_every_finding_has_its_page_and_is_in_the_table(name):
    each = FINDINGS[name]
    text = (project_root() / each.page).read_text()
    assert text.startswith(f"# {each}\n")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    assert max(map(len, text.splitlines())) <= 130
    assert f"[{each.code}]({each.code}.md) | {name.replace('_', ' ')} |" in (PAGES / "README.md").read_text()


def test_no_page_is_left_of_a_finding_that_is_gone():
    assert {path.stem for path in PAGES.glob("FUL-*.md")} == {each.code for each in FINDINGS.values()}


@pytest.mark.parametrize("word", ["FUL-D03", "d03", "overfitting", "FUL-D03 overfitting", "Overfitting"])
def test_a_finding_is_named_by_its_code_or_its_name(word):
    assert str(finding(word)) == "FUL-D03 overfitting"


def test_a_finding_that_there_is_not_is_said_in_a_line():
    with pytest.raises(FulmenError, match="there is no finding 'overfiting'; did you mean FUL-D03 overfitting"):
        finding("overfiting")
    with pytest.raises(FulmenError, match="there is no finding 'FUL-Q99'"):
        finding("FUL-Q99")


def test_programs_get_the_findings_as_json(tmp_path, capsys):
    path = tmp_path / "log.csv"
    rows = [(1 / (k + 1), 0.5 + 1 / (k + 1) + 0.01 * k) for k in range(40)]
    path.write_text("train_loss,val_loss\n" + "\n".join(f"{t},{v}" for t, v in rows))
    assert main(["diagnose", str(path), "--json", "--strict"]) == 1
    said = json.loads(capsys.readouterr().out)
    first = said["findings"][0]
    assert (first["id"], first["code"], first["severity"]) == ("FUL-D03", "overfitting", "warning")
    assert said["source"]
    assert main(["diagnose", str(path)]) == 0
    assert "\nwarning: FUL-D03 overfitting since epoch" in capsys.readouterr().out


def test_verdicts_stored_without_a_code_are_read():
    verdict = diagnose([1 / (k + 1) for k in range(40)], [0.5 + 1 / (k + 1) + 0.01 * k for k in range(40)])[0]
    plain = verdict.as_dict()
    assert plain["id"] == verdict.id == "FUL-D03"
    assert Verdict.from_dict(plain) == verdict
    assert Verdict.from_dict({name: value for name, value in plain.items() if name != "id"}) == verdict
