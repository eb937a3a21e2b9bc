"""What was saved comes back to the bit, whatever its type; what does not belong together is refused."""

import shutil

import pytest
import torch
from torch import nn

from fulmen.errors import FulmenError
from fulmen.registry import load_model, verify
from fulmen.registry.bundle import Bundle, load_weights, read_config
from fulmen.registry.examples import compare, predictions
from fulmen.registry.manifest import Damaged
from fulmen.registry.weights import decode, encode

from .toys import BATCH, NODE, content, forecaster, published


class Odd(nn.Module):
    """Tied weights, views of one memory, half precision, whole numbers, an empty buffer, a transposed one."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(3, 3)
        self.b = nn.Linear(3, 3)
        self.b.weight = self.a.weight
        self.brain = nn.Parameter(torch.randn(4, 2).to(torch.bfloat16))
        both = torch.randn(6)
        self.register_buffer("first", both[:4])
        self.register_buffer("second", both[2:])
        self.register_buffer("steps", torch.tensor(2**40 + 1))
        self.register_buffer("mask", torch.tensor([True, False]))
        self.register_buffer("nothing", torch.zeros(0, 3))
        self.register_buffer("empty", torch.zeros(0))
        self.register_buffer("turned", torch.randn(2, 3).T)


def test_types_views_and_shared_tensors_survive():
    odd, other = Odd(), Odd()
    raw, shared = encode(odd.state_dict())
    assert shared == {"b.weight": "a.weight"}
    load_weights(other, decode(raw, "file", shared), "file")
    for name, value in odd.state_dict().items():
        assert other.state_dict()[name].dtype == value.dtype
        assert torch.equal(other.state_dict()[name], value), name
    assert other.b.weight is other.a.weight


def test_a_model_saved_in_half_precision_stays_so(store):
    model = forecaster()
    model.network.to(torch.bfloat16)
    weights = {name: value.dtype for name, value in model.state_dict().items()}
    files = content() | {"weights.safetensors": encode(model.state_dict())[0]}
    store.publish("half", files, {})
    assert {name: value.dtype for name, value in load_model("half").state_dict().items()} == weights


@pytest.mark.parametrize("value", [{"x": 1}, "text", torch.eye(2).to_sparse()])
def test_what_is_no_dense_tensor_is_refused(value):
    with pytest.raises(FulmenError, match=r"^extra is"):
        encode({"extra": value})


def test_a_loaded_model_predicts_the_same_and_leaves_the_random_state_alone(saved):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    model = load_model("pump")
    assert torch.equal(torch.get_rng_state(), before)
    assert not model.training
    bundle = Bundle(saved.find("pump"))
    inputs, expected = bundle.example
    assert set(inputs) == set(BATCH)
    assert compare(predictions(model, inputs), expected, "pump") == 0
    assert verify() == [{"model": "pump:1", "of the tolerance": 0.0, "is": "whole", "state": ""}]


def test_a_copied_folder_is_all_another_machine_needs(saved, tmp_path):
    shutil.copytree(saved.root / "pump" / "1", tmp_path / "elsewhere" / "pump" / "1")
    assert [row["state"] for row in verify(registry=tmp_path / "elsewhere")] == [""]


def test_batch_equals_single_rows(saved):
    model, (inputs, _) = load_model("pump"), Bundle(saved.find("pump")).example
    whole = predictions(model, inputs)
    for i in range(3):
        alone = predictions(model, {name: value[i : i + 1] for name, value in inputs.items()})
        for name, rows in whole.items():
            torch.testing.assert_close(alone[name], rows[i : i + 1], rtol=0, atol=1e-6)


def test_weights_of_another_architecture_are_refused(store):
    wide = {**NODE, "network": {**NODE["network"], "stages": [{"rnn": "lstm", "units": 5, "last": True}]}}
    store.publish("pump", content(node=wide, model=forecaster()), {})
    with pytest.raises(Damaged, match=r"does not fit the model in config.yaml: network\S+ is \(16, 2\) there and"):
        load_model("pump")


def test_a_model_that_predicts_otherwise_now_is_found(saved, monkeypatch):
    from fulmen.workloads.stocks.module import StockForecaster

    monkeypatch.setattr(StockForecaster, "_from_target", lambda self, y, price: 1.01 * y)
    (row,) = verify("pump")
    assert "pump:1 does not predict what it did when it was saved" in row["state"]


def test_preprocessing_that_says_something_else_is_found(store):
    store.publish("pump", content() | {"preprocess.json": b'{"buffers": {"feature_mean": [1.0, 2.0]}}'}, {})
    (row,) = verify("pump")
    assert "preprocess.json does not say what the buffers" in row["state"]


def test_buffers_that_are_not_finite_are_no_damage(store):
    model = forecaster()
    model.feature_mean.fill_(torch.nan)
    store.publish("pump", content(model=model), {})
    assert verify("pump")[0]["state"] == ""
    assert b"NaN" not in (store.root / "pump" / "1" / "preprocess.json").read_bytes()


def test_quoted_texts_and_numbers_of_a_config_stay_what_they_are():
    assert read_config(b"a: '1'\nb: \"x\"\nc: 1.0e-3\nd: [1, null, true]\n", "f") == {
        "a": "1",
        "b": "x",
        "c": 0.001,
        "d": [1, None, True],
    }


def test_notes_are_kept_as_they_are(store):
    note = 'said "yes" — [bold]μ[/]\n\x1b[31m'
    version = published(store, "pump", note=note)
    assert store.find("pump").manifest["note"] == note
    assert version.folder.name == "1"
