"""The contract: what the author of a workload writes, and what every room of fulmen calls.

A workload is a `WorkloadData` (data, split in three) and a `Workload` (a network with its loss), composed by one YAML.
Three things have to be written: `WorkloadData.setup`, which fills `splits`, the constructor of the Workload, and
`Workload.step`. Every other hook has a default; what is lost without it is said in its docstring. A batch is a dict of
tensors that share their first dimension, the samples B.
"""

import inspect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from lightning.pytorch import LightningDataModule, LightningModule
from torch import Tensor, nn

from fulmen.data import batches
from fulmen.data.batches import Batch, BatchLoader, loss_and_predictions, size
from fulmen.data.leaks.samples import Fitted, Samples, from_splits
from fulmen.data.predicting import Predicts, Schema
from fulmen.errors import FulmenError
from fulmen.io.content import Content, Recognised
from fulmen.io.taken import Taken, files_in_words
from fulmen.lightning_private import datamodule_of, log_epoch_mean, log_mean
from fulmen.optim.schedulers import optimizers
from fulmen.report.classes import class_probabilities
from fulmen.report.contest import Contest, Once, Variant
from fulmen.report.summary import Summary

Split = Literal["train", "validation", "test"]
Stage = Literal["train", "val", "test"]
Verb = Callable[..., None]  # of a checked config and the words of the command line, see `Workload.verbs`


@dataclass(frozen=True)
class Trained:
    """A trained model that somebody has named.

    Attributes:
        model: in evaluation mode, on the CPU.
        schema: what an input has to look like, see `Predicts.input_schema`.
        name: to call it by.
        precision: that it was trained in, as the trainer takes it; None where that is not known.
    """

    model: "Workload"
    schema: Schema
    name: str
    precision: str | None = None


class WorkloadData(LightningDataModule):
    """Data of one task in three splits, with loaders that an interrupted training goes on with exactly.

    `setup(stage)` fills `splits` (and returns at once if they are filled); `prepare_data` may go through
    `fulmen.data.cache`. Data that do not fit into memory override the loaders instead, and `whole`. A constructor with
    the arguments `fold: int | None` and `folds: int` says that the data can be cross-validated.

    Args:
        batch_size: samples per training batch.
        seed: of the order of the training batches.

    Raises:
        FulmenError: a batch size below 1.

    Attributes:
        splits: `train`, `validation` and `test` -> the tensors of that split, samples first.
        fingerprint: changes with whatever the samples depend on; "" if that is not known. Runs on data of the same
            fingerprint are compared item by item, and a kept model warns when its data have changed.
        taken: what was taken from each file, known after `prepare_data` or `setup`; empty where the data are made by
            the program. It is shown at the beginning of a training, and its doubts are warned of.
        reads: name of the argument of the constructor that takes a file of a person's own, such as csv; "": none.
        class_names: what the classes are called, by number, for pictures; empty: their numbers.
        folds_in_time: whether later folds train on what earlier ones test on, as in series.
        fold_arguments: what `fulmen rank` adds to `fold` and `folds`, so that each fold tests on samples of its own.
    """

    splits: dict[str, Batch]
    fingerprint: str = ""
    taken: list[Taken]
    reads: ClassVar[str] = ""
    class_names: Sequence[str] = ()
    folds_in_time: ClassVar[bool] = False
    fold_arguments: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, batch_size: int = 32, seed: int = 42):
        super().__init__()
        if batch_size < 1:
            raise FulmenError(f"batch_size is {batch_size}; it must be 1 or more")
        self.batch_size, self.seed = batch_size, seed
        self.splits, self.taken = {}, []

    @property
    def described(self) -> str:
        """Which data these are, in a few words for a report; by default the files that they were taken from."""
        return files_in_words([each.source for each in self.taken])

    def train_dataloader(self) -> Iterable[Batch]:
        """Shuffled by seed and epoch; its position is stored in checkpoints."""
        return BatchLoader(self.tensors("train"), self.batch_size, shuffle=True, seed=self.seed)

    def val_dataloader(self) -> Iterable[Batch]:
        return BatchLoader(self.tensors("validation"), batches.EVALUATION_BATCH)

    def test_dataloader(self) -> Iterable[Batch]:
        return BatchLoader(self.tensors("test"), batches.EVALUATION_BATCH)

    def predict_dataloader(self) -> Iterable[Batch]:
        """What examples of predictions are made of when a model is kept: the test split by default."""
        return self.test_dataloader()

    def tensors(self, name: Split) -> Batch:
        """One of the splits.

        Raises:
            FulmenError: `setup` has not filled it, or there is nothing to train on.
        """
        if name not in self.splits or (name == "train" and not size(self.splits[name])):
            there = ", ".join(f"{name} ({size(split)})" for name, split in self.splits.items()) or "nothing"
            wanted = "train, validation, test"
            raise FulmenError(f"{type(self).__name__}.setup has to fill self.splits with {wanted}; it filled {there}")
        return self.splits[name]

    def whole(self, name: Split) -> Iterable[Batch]:
        """Batches of a whole split in its order, whatever process this is."""
        split = self.tensors(name)
        for rows in torch.split(torch.arange(size(split)), batches.EVALUATION_BATCH):
            yield {key: value[rows] for key, value in split.items()}

    def fitting(self, model: Mapping[str, Any]) -> Sequence[str]:
        """Overrides without which a model cannot take these data, which are set up.

        Args:
            model: its part of the config.
        """
        return ()

    def keep(self, name: Split, rows: Tensor) -> None:
        """Leave out all samples of a split but some; whoever holds more of them than their tensors keeps that in step.

        Args:
            rows: numbers in the split of those that stay, int64 [n].
        """
        self.splits[name] = {key: value[rows.to(value.device)] for key, value in self.splits[name].items()}

    @classmethod
    def recognises(cls, content: Content, arguments: Mapping[str, Any]) -> Recognised | None:
        """What these data could make of a file, for `fulmen check FILE`, which tries the experiments there are.

        Args:
            content: of the file.
            arguments: that the config of an experiment gives the data.

        Returns:
            None: it is nothing for them.
        """
        return None

    def all_samples(self) -> Samples | None:
        """What a scan for leaks looks at, once the data are set up: inputs by name, targets, splits, groups, times.

        By default the tensors of the splits, whose inputs have no names; None: there is nothing that can be scanned.
        """
        return from_splits(self.splits)

    def inner(self, fold: int, folds: int) -> "WorkloadData | None":
        """The same data without the test split: a fold of the rows that train and validate, not set up yet.

        `fulmen rank --nested` chooses by such folds, where the Workload has a `cross_validate`. None: there are none.
        """
        return None

    @classmethod
    def can_fold(cls) -> bool:
        """Whether the constructor takes `fold` and `folds`."""
        return {"fold", "folds"} <= set(inspect.signature(cls).parameters)


class Workload(Predicts, LightningModule):
    """A network with its loss, trained, evaluated, kept and used.

    How it reads files and values and answers with tables is said by the hooks of `fulmen.data.predicting.Predicts`.

    Args:
        network: knows nothing of Lightning.
        optimizer: makes an optimizer of parameters.
        scheduler: makes a learning-rate scheduler of an optimizer; see `fulmen.optim.schedulers`.

    Attributes:
        directions: metric -> "min" or "max", with or without `val/` and `test/`: which way each is better. Losses are
            better low; of a metric that is not named nothing is known, and a search by it has to be told.
        ranking_metrics: metric -> whether larger is better: what `fulmen rank` may rank by, the first by default.
            Without any it ranks by `test/loss`.
        score_bounds: metric -> lowest and highest value that it can have; without them any.
        constant_baseline: the baseline of `Summary.baselines` that predicts the same for every item, which a model has
            to beat before anything else is said of it; "": there is none.
        of_the_data: names in the state dict that tell of the data or the config rather than of what was learned, such
            as class counts: `weights=`, which starts from another run, leaves them as they are.
        ensemble: dotted name of the class whose predictions are the means of those of trained models of this class, its
            `members`, see `fulmen.utils.members.Members`; "": runs of this workload cannot be averaged.
        averages_gradients: True if the module itself makes accumulated gradients a mean over samples.
        naive_loss: what `train/loss` is for a forecast that costs nothing, known from `setup` on. Without it a training
            is stopped as diverged only where its loss is no finite number.
    """

    directions: ClassVar[Mapping[str, str]] = {}
    ranking_metrics: ClassVar[Mapping[str, bool]] = {}
    score_bounds: ClassVar[Mapping[str, tuple[float, float]]] = {}
    constant_baseline: ClassVar[str] = ""
    of_the_data: ClassVar[Sequence[str]] = ()
    ensemble: ClassVar[str] = ""
    averages_gradients: ClassVar[bool] = False
    naive_loss: float = math.inf

    def __init__(
        self,
        network: nn.Module,
        optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
        scheduler: Callable[..., Any] | None = None,
    ):
        super().__init__()
        self.network, self.optimizer, self.scheduler = network, optimizer, scheduler

    @property
    def datamodule(self) -> Any:
        return datamodule_of(self.trainer)  # known from `setup` on

    @property
    def losses_differ(self) -> str:
        """Why `train/loss` and `val/loss`, as logged, are not the same quantity, a clause; "" where they are.

        Reports then tell no gap between the two; the diagnosis compares both by `probe_loss` all the same.
        """
        return ""

    # Training

    def step(self, batch: Batch, stage: Stage) -> tuple[Tensor, Batch]:
        """The mean loss over a batch, and what is predicted for each of its samples.

        Args:
            batch: of B samples.
            stage: what the batch is used for; gradients are kept in "train" alone.

        Returns:
            Loss, a scalar; tensors [B, ...] that `summarize` needs, which may be left out but in "test".
        """
        raise FulmenError(f"{type(self).__name__} has to say what its loss is: def step(self, batch, stage)")

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Logs `train/loss`."""
        loss, _ = self._stepped(batch, "train")
        log_epoch_mean(self, "train/loss", loss, size(batch))
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Logs `val/loss`."""
        loss, _ = self._stepped(batch, "val")
        log_mean(self, "val/loss", loss, size(batch), prog_bar=True)

    def test_step(self, batch: Batch, batch_idx: int) -> Batch:
        """Logs `test/loss`; what `step` says of each sample goes to `summarize`."""
        loss, predicted = self._stepped(batch, "test")
        log_mean(self, "test/loss", loss, size(batch))
        return predicted

    def predict_step(self, batch: Batch, batch_idx: int = 0) -> Batch:
        """Predictions in units a user knows [B, ...], from the inputs alone. Without it a model cannot be kept."""
        raise FulmenError(f"{type(self).__name__} predicts nothing: it needs def predict_step(self, batch, batch_idx)")

    def configure_optimizers(self) -> Any:
        return optimizers(self)

    def _stepped(self, batch: Batch, stage: Stage) -> tuple[Tensor, Batch]:
        return loss_and_predictions(self.step(batch, stage), type(self).__name__)

    # What the diagnosis asks

    def probe_loss(self, batch: Batch) -> Tensor | None:
        """What `val/loss` would be if `batch` were the validation split; None: what `validation_step` logs for it."""
        return None

    def constant_loss(self, batch: Batch) -> Tensor | None:
        """What `val/loss` would be for a forecast that costs nothing, if `batch` were the validation split.

        Such as persistence, or the mean of the training split: what the loss of the same samples is compared with.
        None: the log loss of the shares of the classes, where there are any, else `naive_loss`, of all samples.
        """
        return None

    def class_probabilities(self, batch: Batch) -> tuple[Tensor, Tensor] | None:
        """Probabilities [B, C] and targets [B] of a classifier, from which its scores per class are watched.

        By default: an integer vector of the batch called target, label, labels, y or class, and what `predict_step`
        calls probability or logits. None: no classes.
        """
        if type(self).predict_step in (Workload.predict_step, LightningModule.predict_step):
            return None
        return class_probabilities(self.predict_step(batch, 0), batch)

    # After training

    def summarize(self, predicted: Mapping[str, Tensor], data: WorkloadData, figures: Path) -> Summary:
        """Scores of the test split beside those of baselines that cost nothing, tables and figures.

        Called once, on the first process, with the weights of the best checkpoint. Without it a run has its losses and
        no baselines, and without `Summary.items` it cannot be compared item by item.

        Args:
            predicted: what `test_step` returned, joined: tensors [N, ...] on the CPU, in the order of the test split.
            data: set up.
            figures: the folder to draw in; it may not exist yet.
        """
        return Summary({})

    def validation_items(self, data: WorkloadData) -> dict[str, Any]:
        """What `Summary.items` is, of the validation split, by the weights that are loaded.

        Asked of the trials of a search, so that its report can say which of them can be the best, all counted. Without
        it the report has the scores of trials alone.
        """
        return {}

    def chosen(self, data: WorkloadData) -> Sequence[Fitted]:
        """What was chosen by a score, such as a threshold, and how it is chosen again on other samples.

        Asked before the test, with the weights that are tested; `Fitted.rows` are those that may choose, as a rule the
        validation split, in the order of `WorkloadData.all_samples`. Without it no choice is held against the test
        split.
        """
        return ()

    def decision_threshold(self) -> float | None:
        """Of the second of two classes, where one was chosen: kept with the model."""
        return None

    # Ensembles

    def take_over(self) -> None:
        """Of an ensemble: called once its members have their weights, before it is validated."""

    # The command line

    @classmethod
    def verbs(cls) -> Mapping[str, Verb]:
        """What `fulmen <workload> <verb> ...` does: name -> what takes the config and the words that are no overrides.

        The first line of its docstring is its help. A verb with a parameter `load` gets a function by which a name
        becomes a `Trained`: that of a kept model, or a run folder.
        """
        return {}

    # Ranking

    @classmethod
    def signal_margins(cls, margin: float) -> Mapping[str, float]:
        """Metric -> by how much it has to be better than that of the constant baseline to be a signal.

        Args:
            margin: the argument of this name that the config gives the module, or its default; NaN without any.
        """
        return {}

    @classmethod
    def cross_validate(
        cls, folds: Sequence[WorkloadData], variants: Mapping[str, Variant], seeds: Sequence[int], once: Once
    ) -> Contest | None:
        """Scores of all variants and baselines on the same folds, where there is a faster way than a run for each.

        Args:
            folds: data modules, set up.
            variants: name -> what to train.
            seeds: of initial weights, order and dropout; scores are means over them.
            once: `once(name, make)` gives what is known of a model, plain values, or makes it.

        Returns:
            None: train a run for each fold, variant and seed.
        """
        return None

    @classmethod
    def baseline_network(cls, name: str, network: Mapping[str, Any]) -> dict[str, Any] | None:
        """The config of what predicts as the baseline `name` does, so that a ranked baseline can be kept as a model.

        Args:
            name: as `Summary.baselines` calls it.
            network: the config of the network in whose place it stands.

        Returns:
            A node whose target is a `fulmen.utils.estimators.Estimator`; None: it is a rule, nothing of it is fitted.
        """
        return None


_DEFAULTS = Workload(nn.Identity())


def hooks(module: LightningModule) -> Workload:
    """The module itself; for a LightningModule that is no Workload, the defaults of all hooks."""
    return module if isinstance(module, Workload) else _DEFAULTS


def splits_of(data: LightningDataModule | None) -> dict[str, Batch]:
    """The tensors of each split, where the data hold them in memory; {} for any other."""
    return data.splits if isinstance(data, WorkloadData) else {}


def fingerprint_of(data: LightningDataModule | None) -> str:
    """What identifies the data; "" where that is not known."""
    return data.fingerprint if isinstance(data, WorkloadData) else ""


def taken_of(data: LightningDataModule | None) -> list[Taken]:
    """What was taken from files, as far as the data have come; [] where they are made by the program."""
    return data.taken if isinstance(data, WorkloadData) else []


def class_names(data: LightningDataModule | None) -> Sequence[str]:
    """What the classes are called, by number; empty where they have no names."""
    return data.class_names if isinstance(data, WorkloadData) else ()
