"""What a GPU would refuse is found without one: no two devices meet, from the first batch to the report.

`pretended_gpu` gives tensors that say they lie on cuda:0. Kernels, memory and speed of a real GPU are not tried here.
"""

import math
from functools import cache
from unittest.mock import patch

import pytest
import torch
from helpers import quiet_trainer
from pretended_gpu import CUDA, OneGPU, OnGPU, TwoDevices, pretended_gpu
from torch import nn

import fulmen.runs.assembly
from benchmarks.same import NARROW, SHARED, tiny
from fulmen.config.check import build, check_overrides
from fulmen.config.schema import choices
from fulmen.runs.run import run

LOOKED = "callbacks/gradients.py: _look"  # now and then: every 10th step at most
CHECKED = "callbacks/divergence.py: on_before_backward"  # of every step, whether the loss is finite
WAITS = {  # where the host waits for the device in a training step; an experiment not named here waits in these two
    "images_balanced": {LOOKED},
    "images_long_tail": {LOOKED},
    "images_long_tail_plain": {LOOKED},
    "images_plain": {LOOKED},
    "images_strong": {LOOKED},
    "stocks_fast": {CHECKED},
}
MORE = {  # callbacks that no experiment has by itself
    "synthetic_mlp": ["callbacks=monitor", "logger=default", "metrics=classification", "callbacks.scores.classes=10"],
    "stocks_fast": [
        "metrics=regression", "callbacks.scores.prediction=log_return", "callbacks.scores.target=log_return",
    ],
}  # fmt: skip
EQUAL = {"rel": 1e-5, "abs": 1e-6}  # the CPU joins some operations into one


def typed_for(experiment, folder, *more):
    short = ["trainer.limit_train_batches=3", "trainer.max_epochs=1", f"output_dir={folder}"]
    return [f"experiment={experiment}", *more, *SHARED, *tiny(f"experiment={experiment}"), *short]


def on_gpu(node, path, **parts):
    """`fulmen.runs.assembly.build`, but Trainers train on the pretended GPU."""
    if path == "trainer":
        node = {name: value for name, value in node.items() if name not in ("accelerator", "devices")}
        parts |= {"strategy": OneGPU(), "inference_mode": False}
    return build(node, path, **parts)


def start(typed):
    return run(check_overrides(typed), typed)


@pytest.mark.slow
@pytest.mark.parametrize("experiment", choices("experiment"))
def test_an_experiment_trains_to_its_report_with_the_numbers_of_the_cpu(experiment, tmp_path):
    more = MORE.get(experiment, [])
    host = start([*typed_for(experiment, tmp_path / "cpu", *more), "test=false"])
    with patch.object(fulmen.runs.assembly, "build", on_gpu), pretended_gpu() as gpu:
        device = start(typed_for(experiment, tmp_path / "gpu", *more))
    assert (device.status, device.cost["device"]) == ("completed", "cuda:0")
    assert {name: device.metrics[name] for name in host.metrics} == pytest.approx(host.metrics, nan_ok=True, **EQUAL)
    assert math.isfinite(device.metrics["test/loss"])
    assert set(gpu.waits) == WAITS.get(experiment, {LOOKED, CHECKED})


@pytest.mark.slow
@pytest.mark.parametrize("experiment", ["pbpk_mlp", "stocks_fast", "images_plain", "sensors"])
def test_a_resumed_run_goes_on_on_the_device(experiment, tmp_path):
    with patch.object(fulmen.runs.assembly, "build", on_gpu), pretended_gpu():
        start([*typed_for(experiment, tmp_path / "run"), "scheduler=plateau", "test=false"])
        longer = start([f"resume={tmp_path / 'run'}", "trainer.max_epochs=2"])
    assert (longer.status, longer.epochs) == ("completed", 2)


CHOICES = [
    *(("stocks_fast", [f"network={name}"]) for name in choices("network/stocks")),
    *(("images_plain", [*NARROW, f"loss={name}"]) for name in choices("loss/images")),
    *(("images_plain", [*NARROW, f"sampler={name}"]) for name in choices("sampler/images")),
    *(("images_plain", [f"network={name}"]) for name in choices("network/images") if name != "whitened_cnn"),
    ("images_plain", ["recipe=airbench", "model.network.widths=[4,8,8]"]),
    ("images_plain", [*NARROW, "model.mixup=0.2", "model.cutmix=1.0", "model.mirror=true"]),
    ("images_plain", [*NARROW, "model.logit_adjustment=validation"]),
    *(("sensors", [f"network={name}"]) for name in choices("network/sensors")),
    ("sensors", ["data.windows=[mean_24h,rise_24h,since_fall]"]),
    ("pbpk_mlp", ["data.kinetics=linear", "data.routes=[oral]"]),
    ("pbpk_gnn", ["model.residual=false", "data.n_doses=2"]),
]


@cache
def data_of(experiment, typed):
    data = build(check_overrides([*typed_for(experiment, "unused"), *typed]).data, "data")
    data.prepare_data()
    data.setup()
    return data


@pytest.mark.slow
@pytest.mark.parametrize(("experiment", "typed"), CHOICES, ids=[" ".join([e, *t]) for e, t in CHOICES])
def test_a_choice_trains_validates_and_predicts(experiment, typed, monkeypatch):
    monkeypatch.setattr("fulmen.data.batches.EVALUATION_BATCH", 8)
    typed = [*typed, "data.lookback_days=10"] if experiment == "stocks_fast" else typed
    of_data = tuple(o for o in typed if o.startswith(("data.", "sampler")))
    data = data_of(experiment, of_data)
    model = build(check_overrides([*typed_for(experiment, "unused"), *typed]).model, "model")
    with pretended_gpu():
        trainer = quiet_trainer(
            max_epochs=1, limit_train_batches=1, limit_val_batches=1, limit_predict_batches=1,
            accelerator="auto", strategy=OneGPU(), inference_mode=False,
        )  # fmt: skip
        trainer.fit(model, datamodule=data)
        assert math.isfinite(float(trainer.callback_metrics["train/loss"]))
        (said,) = trainer.predict(model, datamodule=data)
        left = [name for name, x in (*model.named_parameters(), *model.named_buffers()) if not isinstance(x, OnGPU)]
        assert left == []
    infinite = [name for name, value in said.items() if not value.isfinite().all()]
    assert not infinite


class Forgetful(nn.Module):
    """Keeps a tensor that no move takes along."""

    def __init__(self):
        super().__init__()
        self.scale = torch.ones(3)
        self.linear = nn.Linear(3, 1)

    def forward(self, x):
        return self.linear(x * self.scale)


def test_a_tensor_left_behind_is_found():
    with pretended_gpu():
        net, x = Forgetful().to(CUDA), torch.randn(5, 3).to(CUDA)
        with pytest.raises(TwoDevices, match=r"aten\.mul.*'cuda'.*'cpu'"):
            net(x)
        net.scale = net.scale.to(CUDA)
        net(x).sum().backward()
        assert isinstance(net.linear.weight.grad, OnGPU)
        with pytest.raises((RuntimeError, TypeError)):
            x.numpy()
