"""The reference body closes, and overrides that would not are refused with the value that would."""

import pytest
import torch

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulator.physiology import CONNECTIONS, INDEX, ORGANS, PERFUSED, PORTAL, fractions


def test_the_reference_body_fills_its_weight_and_its_cardiac_output():
    reference = fractions()
    assert reference.volume.sum().item() == pytest.approx(1, abs=1e-12)
    assert reference.flow[[INDEX[organ] for organ in PERFUSED]].sum().item() == pytest.approx(1, abs=1e-12)
    assert reference.flow[INDEX["lung"]] == reference.flow[INDEX["blood"]] == 1


def test_the_vessels_are_26_and_the_portal_organs_drain_into_the_liver():
    assert len(ORGANS) == 14
    assert len(CONNECTIONS) == len(set(CONNECTIONS)) == 26
    assert {target for source, target in CONNECTIONS if source in PORTAL} == {"liver"}
    assert {target for source, target in CONNECTIONS if source == "blood"} == set(ORGANS) - {"blood"}
    assert sum(target == "blood" for _, target in CONNECTIONS) == 10


def test_overrides_are_merged_with_the_reference():
    changed = fractions({"liver": {"volume": 0.03, "flow": 0.07}, "other": {"volume": 0.039, "flow": 0.07}})
    assert changed.volume[INDEX["liver"]] == 0.03
    assert changed.flow[INDEX["liver"]] == 0.07
    same = torch.tensor([organ not in ("liver", "other") for organ in ORGANS])
    assert torch.equal(changed.volume[same], fractions().volume[same])


@pytest.mark.parametrize(
    ("organs", "message"),
    [
        ({"livr": {"volume": 0.03}}, "unknown organ 'livr'; did you mean 'liver'"),
        ({"liver": {"volme": 0.03}}, "unknown quantity 'volme'; did you mean 'volume'"),
        ({"liver": 0.03}, "organs.liver is 0.03"),
        ({"liver": {"volume": -0.03}}, "organs.liver.volume is -0.03"),
        ({"liver": {"volume": 0.0}}, "organs.liver.volume is 0.0"),
        ({"liver": {"flow": float("nan")}}, "organs.liver.flow is nan"),
        ({"liver": {"flow": "0.1"}}, "organs.liver.flow is '0.1'"),
        ({"lung": {"flow": 0.5}}, "lung carries the whole cardiac output"),
        ({"liver": {"volume": 0.03}}, "volume fractions sum to 1.004, not 1; other.volume = 0.039 would close it"),
        ({"liver": {"flow": 0.06}}, "flow fractions sum to 0.995, not 1; other.flow = 0.08 would close it"),
        ({"muscle": {"volume": 0.6}}, "volume fractions sum to 1.2, not 1; lower the values you set"),
    ],
)
def test_an_impossible_body_is_refused_with_what_would_work(organs, message):
    with pytest.raises(FulmenError) as error:
        fractions(organs)
    assert message in str(error.value)
