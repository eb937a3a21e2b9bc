"""Every file in conf/experiment keeps the promises of `fulmen.testing`; a new experiment is tested by being there."""

import pytest
from processes import on_ranks

from fulmen.callbacks.resume import read_checkpoint
from fulmen.config.check import load_config
from fulmen.config.schema import choices
from fulmen.runs.assembly import assemble
from fulmen.testing import Conformance, train

pytestmark = pytest.mark.slow  # every experiment is trained, several times
EXPERIMENTS = choices("experiment")
FEWER = ("data.compounds=600", "data.validation_compounds=100", "data.test_compounds=100")
DIGITS = ("data=digits", "data.imbalance.factor=5", "data.validation=0.1", "network=advanced_cnn")
SMALLER = {"pbpk": FEWER, "pbpk_pod": FEWER, "images_long_tail": DIGITS, "images_long_tail_plain": DIGITS}


class OfTheHouse(Conformance):
    """What holds for the experiments of this repository on top."""

    __test__ = False

    def test_one_batch_of_everything_runs(self, tmp_path):
        assert train(self.experiment, tmp_path, *self.typed, "debug=fast_dev_run", "test=false").status == "completed"

    @pytest.mark.ddp
    @pytest.mark.parametrize("samples", [12, 11, 1], ids=["even", "odd", "fewer than processes"])
    def test_two_processes_evaluate_as_one(self, finished, samples, monkeypatch):
        monkeypatch.setattr("fulmen.data.batches.EVALUATION_BATCH", 4)
        one = evaluated(finished.folder, samples, devices=1)
        assert {"val/loss", "test/loss"} <= set(one)
        for rank in on_ranks(2, evaluated, finished.folder, samples, 2):
            assert set(rank) == set(one)
            for name, value in one.items():
                digits = 1e-4 if name.startswith("trust.") else 1e-6  # quantiles of small differences of logarithms
                assert rank[name] == pytest.approx(value, rel=digits, abs=1e-6, nan_ok=True), name


def of(experiment):
    """The promises as a class of its own, so that pytest-xdist can deal experiments to its processes."""
    steps = 60 if experiment.startswith("images") else 200
    facts = {"experiment": experiment, "steps": steps, "typed": SMALLER.get(experiment, ()), "__test__": True}
    return type(f"Test_{experiment}", (OfTheHouse,), facts)


globals().update({f"Test_{experiment}": of(experiment) for experiment in EXPERIMENTS})


def evaluated(folder, samples, devices):
    """What the best checkpoint in `folder` scores on `samples` of validation and test, and its buffers."""
    cfg = load_config(folder)
    several = {"strategy": "ddp", "devices": devices} if devices > 1 else {}
    cfg.trainer = {
        "accelerator": "cpu",
        "_target_": cfg.trainer["_target_"],
        "use_distributed_sampler": False,
        **several,
    }
    cfg.callbacks, cfg.logger = None, None
    data, model, trainer = assemble(cfg)
    data.prepare_data()
    data.setup("fit")
    data.splits |= {
        part: {name: x[:samples] for name, x in data.splits[part].items()} for part in ("validation", "test")
    }
    data.setup = lambda stage: None
    checkpoint = read_checkpoint(folder / "checkpoints" / "best.ckpt")
    model.load_state_dict(checkpoint["state_dict"])
    model.on_load_checkpoint(checkpoint)
    found = {}
    for evaluate in (trainer.validate, trainer.test):
        evaluate(model, datamodule=data, verbose=False)
        found |= {name: float(value) for name, value in trainer.callback_metrics.items()}
    return found | {name: buffer.flatten().tolist() for name, buffer in model.named_buffers()}
