"""A forecaster small enough to be saved hundreds of times, made without training."""

import torch
import yaml

from fulmen.registry import examples
from fulmen.registry.bundle import preprocessing
from fulmen.registry.store import Store
from fulmen.registry.verification import CONFIG, PREPROCESS, PROBE, WEIGHTS
from fulmen.registry.versions import Version
from fulmen.registry.weights import encode

NODE = {
    "_target_": "fulmen.workloads.stocks.module.StockForecaster",
    "network": {
        "_target_": "fulmen.workloads.stocks.networks.sequence_net.SequenceNet",
        "inputs": ["return", "range"],
        "stages": [{"rnn": "lstm", "units": 4, "last": True}],
        "horizon_days": 2,
    },
    "optimizer": {"_target_": "torch.optim.Adam", "_partial_": True, "lr": 0.001},
}
BATCH = {
    "window": torch.linspace(-1, 1, 120).reshape(3, 20, 2),
    "price": torch.tensor([10.0, 20.0, 30.0]),
    "volatility": torch.tensor([0.01, 0.02, 0.03]),
    "day": torch.tensor([1, 2, 3]),
    "ticker": torch.zeros(3, dtype=torch.long),
}


def forecaster():
    from fulmen.config.check import build

    return build(NODE, "model").eval()


def content(node=NODE, model=None) -> dict[str, bytes]:
    """The files of a bundle."""
    model = model or forecaster()
    inputs = examples.used(model, BATCH)
    return {
        WEIGHTS: encode(model.state_dict())[0],
        CONFIG: yaml.safe_dump({"model": node}, sort_keys=False).encode(),
        PREPROCESS: preprocessing(model),
        PROBE: encode(examples.join(inputs, examples.predictions(model, inputs)))[0],
    }


def published(store: Store, name: str, **facts) -> Version:
    return store.publish(name, content(), {"workload": "stocks", **facts})
