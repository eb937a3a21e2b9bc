"""A run whose network is an estimator of scikit-learn: fitted at once, then validated and tested as any run is."""

from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from omegaconf import DictConfig, OmegaConf

from fulmen.config.stored import clear_failed_start, refuse_if_used
from fulmen.errors import FulmenError
from fulmen.lightning_private import callbacks_of
from fulmen.report.words import counted
from fulmen.runs.assembly import assemble
from fulmen.runs.evaluation import evaluate
from fulmen.runs.ownership import owned
from fulmen.runs.result import Result, write_fingerprint, write_provenance
from fulmen.runs.status import recorded
from fulmen.runs.surroundings import kept_surroundings
from fulmen.utils.estimators import Estimator
from fulmen.utils.threads import set_threads
from fulmen.workload import WorkloadData, taken_of

ONE_PROCESS = {"accelerator": "cpu", "devices": 1, "strategy": "auto", "precision": "32-true", "num_nodes": 1}


class FitFirst(Callback):
    """Fits the network before the module is validated: thresholds and intervals are chosen by `validation` then.

    Attributes:
        data: what it is fitted to.
    """

    data: WorkloadData

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if stage == "validate":
            pl_module.setup("fit")  # what a module takes from the training split, such as means
            network: Any = pl_module.network
            network.fit_to(self.data.splits)


@kept_surroundings()
def run_fitted(cfg: DictConfig, overrides: Sequence[str] = ()) -> Result:
    """Fit, validate, test and report what `cfg` (checked and resolved) describes, in the folder `cfg.output_dir`.

    Args:
        cfg: its `model.network` is a `fulmen.utils.estimators.Estimator`.

    Raises:
        FulmenError: something the user can mend.
    """
    folder, cfg = Path(cfg.output_dir), quiet(cfg)
    with owned(folder):
        refuse_if_used(folder)
        clear_failed_start(folder)
        threads = set_threads(cfg.threads)
        seed_everything(cfg.seed, workers=True, verbose=False)
        first = FitFirst()
        data, model, trainer = assemble(cfg)
        if not isinstance(model.network, Estimator):
            raise FulmenError(f"{type(model.network).__name__} is no estimator; train.py trains networks")
        if not isinstance(data, WorkloadData):
            raise FulmenError(f"{type(data).__name__} is no WorkloadData: an estimator is fitted to its splits")
        first.data = data
        callbacks_of(trainer).append(first)
        result = Result(cfg.experiment, folder)
        result.cost = {"parameters": 0, "device": "cpu", "threads": threads, "precision": trainer.precision}
        write_provenance(folder, cfg, overrides, resumed=False)
        with recorded(result, trainer, overrides):
            print(
                f"{cfg.experiment}: {type(model.network).__name__}, {counted(threads, 'thread')}; run folder {folder}",
                flush=True,
            )
            started = monotonic()
            trainer.validate(model, datamodule=data, verbose=False)
            result.cost["fit_seconds"] = monotonic() - started
            found = {name: float(value) for name, value in trainer.callback_metrics.items()}
            result.metrics = found | {f"best/{name}": value for name, value in found.items() if name == cfg.monitor}
            result.trained, result.epochs, result.steps = True, 1, 1
            write_fingerprint(folder, data)
            result.taken = [each.to_plain() for each in taken_of(data)]
            (folder / "checkpoints").mkdir(exist_ok=True)
            trainer.save_checkpoint(folder / "checkpoints" / "best.ckpt", weights_only=True)
            evaluate(trainer, model, data, cfg, result)
    return result


def quiet(cfg: DictConfig) -> DictConfig:
    """The config without what watches a training of many steps, in one process on the CPU."""
    plain: Any = OmegaConf.to_container(cfg)
    trainer = {**plain["trainer"], **{k: v for k, v in ONE_PROCESS.items() if k in plain["trainer"] or k == "devices"}}
    return OmegaConf.create({**plain, "trainer": trainer, "callbacks": {}, "logger": {}})
