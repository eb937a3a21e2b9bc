"""Curves of a trained surrogate for the subjects of a table."""

from dataclasses import replace

import torch
from torch import Tensor

from fulmen.data.predicting import predictions
from fulmen.errors import FulmenError
from fulmen.utils.precision import in_precision
from fulmen.workload import Trained
from fulmen.workloads.pbpk import predict
from fulmen.workloads.pbpk.answers import curves_of
from fulmen.workloads.pbpk.simulator.physiology import INDEX
from fulmen.workloads.pbpk.simulator.population import (
    BOLUS,
    Population,
    hepatic_clearance_l_per_h,
    renal_clearance_l_per_h,
)
from fulmen.workloads.pbpk.times import untrained

NAMES = {"concentration_mg_per_l": "surrogate", "low_90_mg_per_l": "low", "high_90_mg_per_l": "high"}
NEGLIGIBLE = 1e-3  # of the other organ's clearance; one of nothing was never drawn and would be new to a surrogate
INSTEAD = "--by solver takes it as it is"


class Surrogate:
    """A trained model of bodies and drugs.

    Raises:
        FulmenError: it is of something else.
    """

    def __init__(self, trained: Trained):
        if not {"kinetics", "time_h"} <= set(trained.schema):
            raise FulmenError(f"{trained.name} is no PBPK model; `fulmen models list` says what each is of")
        self.trained = trained
        self.grid_h = torch.tensor(trained.schema["time_h"], dtype=torch.float64)

    def refuse_times(self, time_h: Tensor) -> None:
        """Pass if the model knows all times [T]; t = 0 follows from the dose.

        Raises:
            FulmenError: one lies outside those of the training.
        """
        beyond = untrained(time_h, self.grid_h)
        if bool(beyond.any()):
            low, high = float(self.grid_h[0]), float(self.grid_h[-1])
            raise FulmenError(
                f"--times: {float(time_h[beyond][0]):g} h; {self.trained.name} was trained from {low:.4g} to "
                f"{high:.4g} h and knows no other times; {INSTEAD}"
            )

    def organs(self, people: Population, time_h: Tensor, kinetics: str) -> dict[str, Tensor]:
        """`surrogate`, `low` and `high` [S, 14, T], and `in_domain` [S], as far as the model has them.

        Raises:
            FulmenError: a regimen or kinetics that it was not trained on; it names the subject by its place.
        """
        model, schema = self.trained.model, self.trained.schema
        if kinetics == "saturable" and schema["kinetics"] == "linear":
            raise FulmenError(f"subject 0 has a km_mg_per_l, and {self.trained.name} knows linear kinetics alone")
        asked = predict.inputs_of(cleared_by_both(people), schema)
        later_h, at_zero = time_h[time_h > 0], _at_zero(people)[..., None]
        if not len(later_h):
            return {"surrogate": at_zero}
        predict.ask_at(asked, people, later_h, schema)
        with torch.no_grad(), in_precision(self.trained.precision):
            (said,) = predictions(model, [asked])
        curves = curves_of(asked, said, schema, bool(getattr(model, "within_dose", False))).curves
        found = {NAMES[name]: value.double() for name, value in curves.items() if name in NAMES}
        if time_h[0] == 0:
            found = {name: torch.cat([at_zero, value], -1) for name, value in found.items()}
        return found | ({"in_domain": said["in_domain"]} if "in_domain" in said else {})


def cleared_by_both(people: Population) -> Population:
    """The subjects; where an organ clears next to nothing, it clears a thousandth of what the other does."""
    intrinsic = people.blood_plasma_ratio / people.fraction_unbound  # per clearance of blood that is far below the flow
    hepatic, renal = hepatic_clearance_l_per_h(people), renal_clearance_l_per_h(people)
    return replace(
        people,
        clint_l_per_h=people.clint_l_per_h.maximum(NEGLIGIBLE * renal * intrinsic),
        renal_clint_l_per_h=people.renal_clint_l_per_h.maximum(NEGLIGIBLE * hepatic * intrinsic),
    )


def _at_zero(people: Population) -> Tensor:
    """Concentrations [S, 14] at the first dose: a bolus is in the blood, all else is yet to come."""
    organs = torch.zeros_like(people.volume_l)
    in_blood = people.dose_mg / people.volume_l[:, INDEX["blood"]]
    organs[:, INDEX["blood"]] = torch.where(people.route == BOLUS, in_blood, 0.0)
    return organs
