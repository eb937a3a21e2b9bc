"""Findings that a run is asked to ignore are neither printed nor among its verdicts, and are listed as ignored."""

import json

import pytest

from fulmen.callbacks.diagnosis import Diagnosis
from fulmen.cli import main
from fulmen.config.check import check_overrides
from fulmen.config.mistakes import ConfigError
from fulmen.diagnosis.findings import FINDINGS
from fulmen.diagnosis.ignored import Ignored
from fulmen.errors import FulmenError
from fulmen.runs.diagnose import diagnose_path
from fulmen.runs.run import run

from .blobs import Classifier, fit

RUN = ["experiment=synthetic_mlp", "trainer.max_epochs=7", "model.optimizer.lr=1e-9", "trainer.accelerator=cpu"]


def test_every_finding_of_every_letter_can_be_ignored_by_code_and_by_name():
    for name, each in FINDINGS.items():
        for word in (each.code, each.code.removeprefix("FUL-").lower(), name, name.replace("_", " ")):
            assert Ignored.of([word]).names == {name}


def test_an_ignored_finding_is_not_printed_and_listed_at_the_end(tmp_path, capsys):
    diagnosis = Diagnosis(ignore=["FUL-D05"])
    fit(tmp_path, [diagnosis], epochs=8, model=Classifier(lr=1e-8))
    assert "no_learning" not in [verdict.code for verdict in diagnosis.verdicts]
    assert "no_learning" in [verdict.code for verdict in diagnosis.ignored]
    said = [line for line in capsys.readouterr().out.splitlines() if "no learning" in line]
    assert said == ["diagnosis: ignored, as asked: FUL-D05 no learning"]
    with pytest.raises(FulmenError, match="no_learning cannot end a training that is asked to ignore it"):
        Diagnosis(stop_on=["no_learning"], ignore=["FUL-D05"])


def test_an_unknown_finding_is_refused_with_the_nearest_one_and_a_command_that_works():
    with pytest.raises(
        ConfigError, match="there is no finding 'overfiting'; did you mean FUL-D03 overfitting"
    ) as error:
        check_overrides([*RUN, "findings.ignore=[overfiting,FUL-D10]"])
    assert "findings.ignore=[FUL-D03,FUL-D10]" in error.value.overrides
    with pytest.raises(ConfigError, match="overfitting cannot end a training"):
        check_overrides([*RUN, "findings.ignore=[overfitting]", "callbacks.diagnosis.stop_on=[FUL-D03]"])


def test_one_word_is_taken_as_a_list_of_one_and_a_code_that_there_is_not_is_not_mended():
    cfg = check_overrides([*RUN, "findings.ignore=FUL-D10"])
    assert cfg.findings.ignore == cfg.callbacks.diagnosis.ignore == ["FUL-D10"]
    with pytest.raises(
        ConfigError, match=r"there is no finding 'FUL-L99'; docs/findings/README.md lists them"
    ) as error:
        check_overrides([*RUN, "findings.ignore=[FUL-L99]"])
    assert "did you mean" not in str(error.value)
    assert "FUL-L09" not in str(error.value)


def test_a_run_stores_and_reports_what_it_ignored(tmp_path, capsys):
    folder = tmp_path / "run"
    typed = [*RUN, f"output_dir={folder}", "findings.ignore=[no_learning, FUL-D04]"]
    result = run(check_overrides(typed), typed)
    stored = json.loads((folder / "result.json").read_text())
    assert [each["id"] for each in stored["ignored"]] == ["FUL-D05"]
    assert not {"no_learning", "underfitting"} & {each["code"] for each in result.verdicts}
    assert "ignored, as asked: FUL-D05 no learning" in (folder / "report.html").read_text()
    assert [each["id"] for each in diagnose_path(folder).ignored] == ["FUL-D05"]


def test_diagnose_leaves_out_what_it_is_asked_to(tmp_path, capsys):
    path = tmp_path / "curves.csv"
    rows = [(i, 1 / i, 1 / i if i < 10 else 0.1 + 0.02 * (i - 10)) for i in range(1, 40)]
    path.write_text("epoch,train_loss,val_loss\n" + "".join("{},{},{}\n".format(*row) for row in rows))
    assert main(["diagnose", str(path), "--json", "--ignore", "overfitting"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [each["id"] for each in found["ignored"]] == ["FUL-D03"]
    assert "FUL-D03" not in [each["id"] for each in found["findings"]]
    assert main(["diagnose", str(path), "--ignore", "FUL-D03"]) == 0
    assert "ignored, as asked: FUL-D03 overfitting" in capsys.readouterr().out
    assert main(["diagnose", str(path), "--ignore", "D99"]) != 0
    assert "there is no finding 'D99'" in capsys.readouterr().err
