"""A few runs of the proof that noise is called noise; `make proofs ARGS=verdicts` makes all 600."""

import pytest

from benchmarks.proofs.verdicts import IMAGES, NOISE, POWER, ROWS, TWICE, WORKLOADS, bunch, total
from fulmen.report.shown import Shown


def test_test_splits_of_the_proof_have_the_power_that_it_names():
    """Standard errors of ROC-AUC and accuracy without a signal, of rows and images of two equal classes."""
    errors = {"ROC-AUC": (1 / (3 * ROWS)) ** 0.5, "accuracy": (0.25 / IMAGES) ** 0.5}
    assert 0.06 / errors["ROC-AUC"] == pytest.approx(1.96 + 1.645, abs=0.01)
    assert 0.03 / errors["accuracy"] == pytest.approx(1.96 + 1.645, abs=0.01)


@pytest.mark.parametrize("workload", WORKLOADS)
def test_a_run_of_every_workload_says_what_its_test_split_shows(workload, tmp_path):
    shown = WORKLOADS[workload](NOISE, 1, tmp_path)
    assert shown.units >= 40
    assert shown.code in ("no_signal", "undecided_result", "worse_than_constant"), shown.sentence
    assert Shown.from_dict(shown.as_dict()) == shown
    assert "model.margin" not in shown.sentence


@pytest.mark.parametrize("workload", WORKLOADS)
def test_noise_is_called_noise_where_there_is_enough_of_it_and_a_signal_never(workload, tmp_path):
    found = {row: bunch(row, workload, 0, tmp_path, runs=3)["findings"] for row in (POWER, TWICE)}
    assert found[POWER].get("no_signal", 0) >= 2
    assert "no_signal" not in found[TWICE]


@pytest.mark.parametrize(
    ("row", "claims", "none", "holds"),
    [(NOISE, 33, 0, True), (NOISE, 34, 0, False), (POWER, 0, 85, True), (POWER, 0, 84, False), (TWICE, 0, 12, True),
     (TWICE, 0, 13, False)],
)  # fmt: skip
def test_a_row_holds_where_its_bound_is_kept(row, claims, none, holds):
    parts = [{"runs": 50, "better_than_chance": claims, "findings": {"no_signal": none}},
             {"runs": 50, "better_than_chance": 0, "findings": {"undecided_result": 50}}]  # fmt: skip
    assert total(row, parts)["ok"] is holds
