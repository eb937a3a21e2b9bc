"""Training on a share of the training samples, to see what more of them would bring."""

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from fulmen.callbacks.probe_metrics import loss_of, on_device
from fulmen.callbacks.side_effect_free import evenly
from fulmen.config.ranges import PartOfAll, refuses_out_of_range
from fulmen.data.batches import size
from fulmen.data.leaks.samples import TRAIN, Samples
from fulmen.errors import FulmenError
from fulmen.lightning_private import datamodule_of
from fulmen.utils.seeding import derived_seed
from fulmen.workload import WorkloadData, splits_of

PROBE = "train/probe"
PROBED = 2048  # training samples at most
FEWEST_GROUPS = 8  # in the training split, above which whole groups are taken


class TrainShare(Callback):
    """Keeps a share of the training split, before the module fits its preprocessing to it.

    What is kept grows with the share: a larger one holds all of a smaller one with the same seed. Of series the latest
    samples are kept, of groups (machines, subjects) whole ones, of classes the same share of each. After every
    validation `train/probe` is logged: the validation loss of training samples that are kept.

    Args:
        share: of the training samples, above 0 and at most 1.
        seed: of the draw.
    """

    @refuses_out_of_range
    def __init__(self, share: PartOfAll = 1.0, seed: int = 0):
        self.share, self.seed = share, seed

    def setup(self, trainer: Trainer, module: LightningModule, stage: str) -> None:
        data = datamodule_of(trainer)
        if stage != "fit":
            return
        if not isinstance(data, WorkloadData) or "train" not in data.splits:
            raise FulmenError("a share of the training samples needs data that hold their splits in memory")
        train, samples = data.splits["train"], data.all_samples()
        if samples is None or (samples.split == TRAIN).sum() != size(train):
            rows = drawn(np.zeros(size(train), dtype=int), self.share, self.seed)
        else:
            rows = kept_rows(samples, self.share, self.seed, type(data).folds_in_time)
        index = torch.from_numpy(rows)
        if self.share < 1:
            data.keep("train", index)

    def on_validation_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        if not trainer.sanity_checking:
            rows = evenly(splits_of(datamodule_of(trainer))["train"], PROBED)
            module.log(PROBE, loss_of(on_device(trainer, rows), trainer, module, "val/loss"))


def kept_rows(samples: Samples, share: float, seed: int, in_time: bool) -> np.ndarray:
    """Numbers of the training samples that are kept, in their order in the split, int64 [n].

    Args:
        in_time: the samples are of series, of which the latest are kept.
    """
    rows = samples.rows(TRAIN)
    if in_time and samples.time is not None:
        time = samples.time[rows]
        return np.flatnonzero(time >= np.quantile(time, 1 - share))
    if samples.group is not None:
        group = np.unique(samples.group[rows], return_inverse=True)[1]
        if FEWEST_GROUPS <= group.max() + 1 < len(group):
            order = np.random.default_rng(derived_seed(seed, "share")).permutation(group.max() + 1)
            return np.flatnonzero(np.isin(group, order[: max(2, round(share * len(order)))]))
    classes = samples.target[rows] if samples.kind == "classes" else np.zeros(len(rows), dtype=int)
    return drawn(np.unique(classes, return_inverse=True)[1], share, seed)


def drawn(classes: np.ndarray, share: float, seed: int) -> np.ndarray:
    """The same share of each class [N], at least one sample of each; sorted, int64 [n]."""
    order = np.random.default_rng(derived_seed(seed, "share")).permutation(len(classes))
    place = np.empty(len(classes), dtype=int)  # of each sample among those of its class
    for each in np.unique(classes):
        own = order[classes[order] == each]
        place[own] = np.arange(len(own))
    wanted = np.maximum(1, np.round(share * np.bincount(classes))).astype(int)
    return np.flatnonzero(place < wanted[classes])
