"""Small cells of the proofs of gradients and of real drugs; `make proofs ARGS="pbpk_gradients pbpk_real_drugs"`."""

from pathlib import Path

import pytest

from benchmarks.proofs import pbpk_real_drugs
from benchmarks.proofs.pbpk_gradients import TIME_H, of_network, of_solver, trained, worst_gradient
from benchmarks.proofs.pbpk_real_drugs import as_row, judged, men
from fulmen.workloads.pbpk.simulator.population import hepatic_clearance_l_per_h, renal_clearance_l_per_h
from fulmen.workloads.pbpk.simulator.sampling import sample_population
from fulmen.workloads.pbpk.simulator.solvers import concentrations, simulate

SMALL = ["data.compounds=150", "data.validation_compounds=30", "data.test_compounds=5", "trainer.max_epochs=4",
         "data.time_points=25", "model.network.times=24"]  # fmt: skip
DRUG = {"drug": "atenolol", "logP": "0.16", "pKa": "9.6", "type": "base", "fu": "0.94", "bp": "1.07",
        "CL_mL_min_kg": "2.5", "fe": "0.94"}  # fmt: skip


@pytest.mark.parametrize("route", ["bolus", "infusion", "oral"])
def test_gradients_of_the_linear_solver_hold(route):
    cell = of_solver("linear", route)
    assert cell["ok"]
    assert cell["elasticities"] == 3 * 2 * 3 * 51


def test_a_gradient_that_leaves_something_out_does_not_hold():
    def curves(people):
        amounts = simulate(people, TIME_H, "linear")
        return (
            concentrations(people, amounts)
            * (people.fraction_unbound / people.fraction_unbound.detach())[:, None, None]
        )

    people = sample_population(2, seed=1, routes=["bolus"])
    told = worst_gradient(people, curves, TIME_H, 1e-4)
    assert told["worst"] > 0.1
    assert told["of"].endswith("by fraction_unbound")


@pytest.mark.slow
@pytest.mark.parametrize("kinetics", ["linear", "saturable"])
def test_a_network_cell_tells_gradients_elasticities_and_a_law(kinetics, tmp_path, monkeypatch):
    monkeypatch.setenv("FULMEN_CACHE", str(tmp_path / "cache"))
    trained(f"{tmp_path}/run", f"data.kinetics={kinetics}", "seed=1", *SMALL)
    cell = of_network(f"{tmp_path}/run", subjects=1, beside=8, judged=50)
    assert cell["ok"]
    assert cell["gradients"].keys() == {"bolus", "infusion", "oral"}
    assert cell["elasticities"]["subjects"] == 8
    assert cell["elasticities"]["auc"].keys() == {"all inputs", "ten largest", "infusion time"}
    assert cell["elasticities"]["auc"]["ten largest"]["correlation"] > 0.7
    assert cell.get("dose_ratio_p95", 1.0) == pytest.approx(1, abs=1e-4)
    assert cell.get("above_the_dose", 0) == 0


def test_a_real_drug_becomes_a_man_with_its_clearances():
    people = men([DRUG], 5.0)
    per_ratio = 2.5 * 73 * 0.06 / 1.07
    assert hepatic_clearance_l_per_h(people).item() == pytest.approx(0.06 * per_ratio)
    assert renal_clearance_l_per_h(people).item() == pytest.approx(0.94 * per_ratio)
    assert (people.km_mg_per_l.item(), people.dose_mg.item(), people.weight_kg.item()) == (5, 50, 73)


def test_of_several_pka_and_more_clearance_than_flow_what_the_model_takes():
    amphoteric = DRUG | {"pKa": "2.18;8.89", "type": "zwitterion"}
    assert (as_row(amphoteric, 5.0)["pka"], as_row(amphoteric, 5.0)["pka_acid"]) == ("8.89", "2.18")
    assert as_row(DRUG | {"pKa": "9.7;8.92;8.13"}, 5.0)["pka"] == "9.7"
    assert "pka" not in as_row(DRUG | {"pKa": "", "type": "neutral"}, 5.0)
    fast = men([DRUG | {"CL_mL_min_kg": "100", "fe": "0.5"}], 5.0)
    flow = fast.flow_l_per_h[0]
    liver, kidney = hepatic_clearance_l_per_h(fast).item(), renal_clearance_l_per_h(fast).item()
    assert kidney == pytest.approx(0.95 * flow[2].item())
    assert liver == pytest.approx(0.95 * (flow[1] + flow[8] + flow[11] + flow[12]).item())


@pytest.mark.slow
def test_a_cell_of_real_drugs_tells_of_each(tmp_path, monkeypatch):
    monkeypatch.setenv("FULMEN_CACHE", str(tmp_path / "cache"))
    trained(f"{tmp_path}/run", "data.population=real_chemistry", "seed=1", *SMALL)
    cell = judged(f"{tmp_path}/run", [DRUG, DRUG | {"drug": "diazepam", "logP": "2.8", "pKa": "3.4", "fe": "0.01"}])
    for part in ("Km 1000 mg/L", "Km 5 mg/L"):
        assert cell[part]["rows"].keys() == {"atenolol", "diazepam"}
        assert 0.5 < cell[part]["rows"]["atenolol"]["auc_ratio"] < 2
        assert isinstance(cell[part]["rows"]["diazepam"]["in_domain"], bool)


def test_without_the_table_of_drugs_there_is_nothing_to_do(monkeypatch, capsys):
    monkeypatch.setattr(pbpk_real_drugs, "DRUGS", Path("none.csv"))
    assert pbpk_real_drugs.main()
    assert "there is no none.csv" in capsys.readouterr().out


def test_no_compound_of_the_training_has_the_weight_of_a_real_drug():
    """`benchmarks/pbpk_compounds.py` leaves them out; the table of the proof names no drug that it does not know."""
    from benchmarks.pbpk_compounds import HELD_OUT

    assert {name.removeprefix("S-") for name in pbpk_real_drugs.DOSES_MG} == HELD_OUT.keys()
