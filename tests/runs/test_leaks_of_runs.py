"""A run looks for leaks before it trains: what it finds is told, kept, shown, and refused where that is asked for."""

import json
import warnings
from collections import OrderedDict

import leak_lab
import numpy as np
import pytest
import torch

from fulmen.callbacks.taken import told_once
from fulmen.data.leaks import Leak, Samples
from fulmen.data.leaks.look import look
from fulmen.data.leaks.scan import PROVES_NOTHING
from fulmen.entrypoints import train
from fulmen.errors import FulmenError
from fulmen.runs.reading import read_result


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with leak_lab.lab(tmp_path_factory.mktemp("lab")) as folder:
        yield folder


def trained(*overrides):
    return train("experiment=leaklab", *overrides)


def told(capsys):
    return [line for line in capsys.readouterr().out.splitlines() if line.startswith("leak: ")]


def test_a_leak_is_told_in_a_line_and_kept_in_the_result_and_the_report(lab, capsys):
    run = trained("data.csv=copies.csv")
    printed = capsys.readouterr().out
    first, *others = [line for line in printed.splitlines() if line.startswith("leak: ")]
    assert printed.splitlines()[-2] == (
        "The data have 1 leak (FUL-L01 copies): the scores of the test split cannot be believed."
    )
    assert len(others) == 2
    assert first.startswith("leak: FUL-L01 copies: ")
    assert "stand in the train split too" in first
    stored = read_result(run.folder)
    assert [each["id"] for each in stored["leaks"] if each["severity"] == "error"] == ["FUL-L01"] * 3
    assert stored["leaks"][0]["evidence"]["splits"] == ["train", "validation"]
    assert 0 <= stored["cost"]["leak_scan_seconds"] < 5
    report = (run.folder / "report.md").read_text()
    assert "The data have 1 leak (FUL-L01 copies): the scores of the test split cannot be believed." in report
    assert report.index("## Leaks") < report.index("What stands behind them")
    assert PROVES_NOTHING in report
    assert "FUL-L01 copies" in (run.folder / "report.html").read_text()


def test_leaks_are_listed_where_a_run_is_shown_and_a_kept_model_names_the_errors(lab, capsys):
    from fulmen.cli import main
    from fulmen.registry.save import errors_in
    from fulmen.runs.index import Index

    run = trained("data.csv=copies.csv")
    shown = run._repr_html_()
    assert shown.count("error: FUL-L01 copies") == 3
    assert "The data have 1 leak" in shown
    capsys.readouterr()
    assert main(["runs", "show", str(run.folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(maxsplit=1)[1][:22] for line in lines if line.startswith("leak ")][:1] == [
        "error: FUL-L01 copies:"
    ]
    (entry,) = [each for each in Index("outputs").entries() if each.path.endswith(run.folder.name)]
    assert entry.leaks[0].startswith("error: FUL-L01")
    assert errors_in(run.result) == {"leaks": ["FUL-L01"]}
    assert errors_in({}) == {}


def test_an_honest_run_prints_nothing_new_and_trains_to_the_same_bits(lab, capsys):
    weights = {}
    for mode in ("scan", "off", "strict"):
        run = trained("data.csv=honest.csv", f"leaks={mode}")
        assert told(capsys) == []
        weights[mode] = run.model.state_dict()
        stored = read_result(run.folder)
        assert "leaks" not in stored
        assert ("leak_scan_seconds" in stored["cost"]) == (mode != "off")
        report = (run.folder / "report.md").read_text()
        assert "## Leaks" in report
        assert ("No leak was looked for, as asked by leaks=off" in report) == (mode == "off")
        assert stored["cost"]["fit_seconds"] > 0
    assert all(torch.equal(weights["off"][name], weights[mode][name]) for mode in weights for name in weights["off"])


def test_strict_refuses_before_training_and_names_what_removes_it(lab, capsys):
    with pytest.raises(FulmenError) as refused:
        trained("data.csv=copies.csv", "leaks=strict", "output_dir=strict")
    lines = str(refused.value).splitlines()
    assert lines[0] == "leaks=strict: 3 leaks in the data, nothing was trained"
    assert lines[1].startswith("  FUL-L01 copies: ")
    assert lines[-1] == "  findings.ignore=[FUL-L01] passes over this; leaks=scan trains all the same"
    stored = read_result(lab / "strict")
    assert (stored["status"], stored["steps"]) == ("failed", 0)
    assert stored["leaks"]


def test_what_is_ignored_is_neither_told_nor_refused_but_listed(lab, capsys):
    run = trained("data.csv=copies.csv", "leaks=strict", "findings.ignore=[FUL-L01,repeated_within]")
    assert told(capsys) == ["leak: ignored, as asked: FUL-L01 copies, FUL-L13 repeated within"]
    stored = read_result(run.folder)
    assert "leaks" not in stored
    assert {each["id"] for each in stored["ignored"]} == {"FUL-L01", "FUL-L13"}


def test_deep_says_what_the_score_is_without_it_and_deep_strict_refuses(lab, capsys):
    run = trained("data.csv=copies.csv", "leaks=deep")
    lines = told(capsys)
    stored = {leak["code"]: leak for leak in read_result(run.folder)["leaks"] if "with" in leak["evidence"]}
    assert stored["copies"]["evidence"]["with"] > stored["copies"]["evidence"]["without"] + 0.3
    assert any("without their copies" in line for line in lines)
    assert any(line.startswith("leak: FUL-L12 learns permuted labels: ") for line in lines)
    report = (run.folder / "report.md").read_text()
    assert "score with it" in report
    with pytest.raises(FulmenError, match="leaks=deep trains all the same"):
        trained("data.csv=copies.csv", "leaks=deep_strict")
    honest = trained("data.csv=honest.csv", "leaks=deep_strict")
    assert "leaks" not in read_result(honest.folder)


def test_a_column_that_is_the_target_is_told_with_what_the_score_is_without_it_and_its_cure_works(lab, capsys):
    leak_lab.leaky("d", rows=600).to_csv("leaky.csv", index=False)
    run = trained("data.csv=leaky.csv", "leaks=deep")
    (line,) = told(capsys)
    assert line.startswith("leak: FUL-L06 target copy: the feature d is y")
    assert "AUC 1.000, ." in line
    assert "without it; try: data.leave_out=[d]" in line
    folder = run.folder
    following = (folder / "report.md").read_text().partition("## What to do next")[2]
    assert "python train.py experiment=leaklab data.csv=leaky.csv leaks=deep 'data.leave_out=[d]'" in following
    cured = trained("data.csv=leaky.csv", "leaks=strict", "data.leave_out=[d]", "model.network.in_features=3")
    assert told(capsys) == []
    assert cured.result["status"] == "completed"


def test_folds_tell_each_finding_once(lab, capsys):
    run = trained("data.csv=copies.csv", "folds=3", "seeds=2")
    lines = told(capsys)
    assert len(lines) == len({line.partition(":")[2][:12] + line.partition("of the")[2][:40] for line in lines}) <= 3
    assert read_result(run.folder / run.result["runs"][-1])["leaks"]
    assert read_result(run.folder)["leaks"]
    assert "## Leaks" in (run.folder / "report.md").read_text()


def test_a_search_tells_leaks_before_its_trials_and_in_its_report(lab, capsys):
    from fulmen.search.controller import run_searches
    from fulmen.search.plans import plans

    typed = ["experiment=leaklab", "search/space=null", "search.space.seed={choices:[1,2]}", "search.trials=2",
             "search.champion_seeds=1", "data.csv=copies.csv", "monitor=val/loss"]  # fmt: skip
    (study,) = run_searches(plans([*typed, "search.name=leaks"]))
    out = capsys.readouterr().out
    assert out.count("leak: FUL-L01") == 3
    assert out.index("leak: FUL-L01") < out.index("2 trials")
    report = (study.folder / "report.md").read_text()
    assert "the scores of trials and champion cannot be believed." in report
    assert report.count("## Leaks") == 1
    with pytest.raises(FulmenError, match="leaks=strict: 3 leaks in the data, nothing was trained"):
        run_searches(plans([*typed, "search.name=strict", "leaks=strict"]))
    assert not (lab / "outputs" / "sweeps" / "strict").exists()


def test_a_word_that_is_no_mode_is_answered_with_one(lab):
    with pytest.raises(FulmenError, match="leaks: must be off, scan, strict, deep or deep_strict, got scna"):
        trained("leaks=scna")


def test_a_run_without_the_key_is_resumed_and_an_old_result_gets_its_leaks_when_evaluated_again(lab, capsys):
    run = trained("data.csv=copies.csv", "leaks=off")
    config = run.folder / "config.yaml"
    config.write_text("".join(line for line in config.open() if not line.startswith("leaks")))
    assert told(capsys) == []
    trained_again = train(f"resume={run.folder}")
    assert len(told(capsys)) == 3
    assert read_result(trained_again.folder)["leaks"]


def test_a_scan_that_comes_to_no_end_is_told_in_the_report_and_refused_where_strict(lab, monkeypatch):
    def broken(samples):
        raise ValueError("shape mismatch")

    monkeypatch.setattr("fulmen.data.leaks.look._scans", OrderedDict())
    monkeypatch.setattr("fulmen.data.leaks.look.scan", broken)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = trained("data.csv=honest.csv", "leaks=scan")
        with pytest.raises(FulmenError, match="nothing was trained; leaks=scan trains all the same"):
            trained("data.csv=honest.csv", "leaks=strict")
    section = (run.folder / "report.md").read_text().partition("## Leaks")[2]
    assert "The scan for leaks came to no end (ValueError: shape mismatch)" in section.partition("##")[0]


def test_the_scan_draws_nothing_from_shared_generators_and_a_defect_of_it_ends_no_training():
    samples = Samples(np.arange(40) % 2, "classes", np.repeat([0, 1, 2], [20, 10, 10]), {"a": np.arange(40.0)})
    states = np.random.get_state()[1].copy(), torch.get_rng_state().clone()  # noqa: NPY002

    def make():
        np.random.rand(3), torch.rand(3)  # noqa: NPY002
        return samples

    assert look(make).scanned
    assert np.array_equal(states[0], np.random.get_state()[1])  # noqa: NPY002
    assert torch.equal(states[1], torch.get_rng_state())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        broken = look(lambda: 1 / 0)
    assert not broken.scanned
    with pytest.raises(FulmenError, match=r"leaks=strict: the scan for leaks came to no end \(ZeroDivisionError"):
        broken.refuse("leaks=strict")
    assert "the scan for leaks came to no end (ZeroDivisionError" in str(caught[0].message)
    assert not look(lambda: None).scanned


def test_the_same_samples_are_scanned_once_and_any_change_is_seen():
    rng = np.random.default_rng(0)
    columns = {"a": rng.normal(size=90), "b": rng.choice(["x", "y"], 90).astype(object)}
    split = np.repeat([0, 1, 2], [50, 20, 20])

    def found(**more):
        return look(lambda: Samples(np.arange(90) % 2, "classes", split, columns | more)).leaks

    assert not [leak for leak in found() if leak.code == "copies"]
    again = {name: values.copy() for name, values in columns.items()}
    for values in again.values():
        values[80:90] = values[0:10]
    assert [leak.code for leak in found(**again) if leak.code == "copies"] == ["copies"]


def test_a_leak_survives_json():
    leak = Leak(
        "copies", "error", "two rows stand twice", ("a",), {"count": np.int64(2), "share": np.float32(0.5)}, ("x=1",)
    )
    plain = json.loads(json.dumps(leak.as_dict()))
    assert Leak.from_dict(plain) == leak
    assert plain["evidence"] == {"count": 2, "share": 0.5}


def test_within_told_once_a_finding_is_told_once_whatever_its_numbers(capsys):
    from fulmen.callbacks.leaks import tell

    with told_once():
        for count in (3, 4):
            tell([Leak("copies", "error", f"{count} rows", evidence={"splits": ["train", "test"]})])
        tell([Leak("copies", "error", "others", evidence={"splits": ["train", "validation"]})])
    assert told(capsys) == ["leak: FUL-L01 copies: 3 rows", "leak: FUL-L01 copies: others"]
