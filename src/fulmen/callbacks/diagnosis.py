"""A training that says what is wrong with it, and what to try."""

import math
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger

from fulmen.callbacks.activations import idle_shares, recorded_activations
from fulmen.callbacks.base import Watcher
from fulmen.callbacks.gradients import GradientWatch
from fulmen.callbacks.probe_metrics import class_scores, constant_loss, frozen, loss_of, on_device
from fulmen.callbacks.side_effect_free import evenly
from fulmen.config.mistakes import did_you_mean
from fulmen.config.ranges import Count, Share, refuses_out_of_range
from fulmen.data.batches import Batch, size
from fulmen.data.duplicates import copies
from fulmen.diagnosis import Verdict, diagnose, health
from fulmen.diagnosis.texts import TEXTS
from fulmen.diagnosis.verdicts import as_markdown, ordered
from fulmen.distributed.ranks import from_first, sum_over_ranks
from fulmen.errors import Diverged, FulmenError
from fulmen.workload import splits_of

LEVEL = {"ok": 0, "note": 0, "warning": 1, "error": 2}
FIRST_LOOK = 5  # checks before the first look at the predictions, which costs as much as a validation; then 10, 20, ...
ALWAYS = 6  # checks with a look at the activations; then every fifth
WORTH = 50  # batches, of training and validation, that a look may cost a twentieth of
KEPT = ("seen", "base", "val_scale", "_classes", "_judged", "_validated", "_passed", "_val_samples")


class Diagnosis(Watcher):
    """Judges the curves, the network and its predictions after every validation.

    The training loss is taken on a fixed probe of training samples, in evaluation mode and by the module's own
    `validation_step` (or `probe_loss(batch)`, where the validation loss is made at the end of the epoch), so that both
    compare. The probe costs a few per cent of an epoch: it has a twentieth of the training samples, 64 at least and 256
    at most. Without an in-memory data module the logged training loss stands in for it. A new finding is one line on
    the console; all of them go to TensorBoard, `result.json` and the report. What costs more is looked at less often as
    the run goes on: predictions after 5, 10, 20, 40 ... checks, activations every fifth. Of epochs with fewer than 50
    batches not every one is looked at, after the first six; the end of the run says so.

    Args:
        stop_on: verdicts that end the training, such as [overfitting, no_learning].
        train_loss: the logged training loss.
        val_loss: the logged validation loss.
        expected_gain: share of the loss of a constant predictor that a good model takes away at least; 0 where little
            can be predicted, such as returns.
        every: epochs between two looks; by default as many as have 50 batches, 1 with `stop_on`.

    Raises:
        FulmenError: `stop_on` names no verdict, or a gain beyond 0 ... 1, or `every` is below 1.

    Attributes:
        verdicts: after the last check, the gravest first.
        ending: how the run ended, if a verdict ended it.
    """

    @refuses_out_of_range
    def __init__(
        self,
        stop_on: Sequence[str] = (),
        train_loss: str = "train/loss",
        val_loss: str = "val/loss",
        expected_gain: Share = 0.4,
        every: Count | None = None,
    ):
        for code in stop_on:
            if code not in TEXTS:
                raise FulmenError(f"stop_on has {code!r}, no verdict{did_you_mean(code, list(TEXTS))}; "
                                  f"there are {', '.join(TEXTS)}")  # fmt: skip
        self.stop_on, self.expected_gain, self.every = tuple(stop_on), expected_gain, every
        self.names = {"train": train_loss, "val": val_loss}
        self.verdicts: list[Verdict] = []
        self._said: set[str] = set()
        self.ending: tuple[str, str] | None = None
        names = ("epoch", "train", "val", "activations", "dead", "saturated", "looked", "train_recall", "val_recall")
        self.seen: dict[str, list] = {name: [] for name in names}
        self.base: float | None = None
        self.val_scale = 1.0
        self.gradients = GradientWatch()
        self._probe: Batch | None = None
        self._val_probe: Batch | None = None
        self._classes: dict[str, Any] = {}
        self._leak: Verdict | None = None
        self._validated = self._off = self._explained = False
        self._judged = True
        self._val_samples = self._passed = 0

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        self._off = bool(trainer.fast_dev_run or trainer.overfit_batches)
        splits = splits_of(trainer.datamodule)
        if self._off or "train" not in splits:
            return
        train, val = splits["train"], splits.get("validation")
        self._probe = on_device(trainer, evenly(train, min(256, max(64, size(train) // 20))))
        if val is not None and size(val):
            self._val_probe = on_device(trainer, evenly(val, 256))
            found = copies(val, train)
            self._leak = health.leak(found / size(val), found) if found else None
        if self.base is None:
            start = [loss_of(probe, trainer, module, self.names["val"]) for probe in (self._probe, self._val_probe)]
            self.base = constant_loss(start[0], self._probe, trainer, module)
            if all(loss > 0 for loss in start):
                self.val_scale = min(max(start[0] / start[1], 1 / 3), 3.0)

    def on_before_optimizer_step(self, trainer: Trainer, module: LightningModule, optimizer: Any) -> None:
        if not self._off:
            self.gradients.before_step(module)

    def on_train_batch_end(self, trainer: Trainer, module: LightningModule, *_: Any) -> None:
        self.gradients.after_step()

    def on_validation_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Any, *_: Any
    ) -> None:
        self._val_samples += size(batch)

    def on_validation_start(self, trainer: Trainer, module: LightningModule) -> None:
        self._val_samples = 0

    def on_validation_end(self, trainer: Trainer, module: LightningModule) -> None:
        self._validated = not trainer.sanity_checking
        self._val_samples = int(sum_over_ranks(torch.tensor(self._val_samples)))

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        if self._off or not self._validated:
            return
        self._validated = False
        if self._too_soon(trainer):
            self._passed += 1
            return
        self._look(trainer, module)
        self._judged = bool(self.stop_on) or len(self.seen["epoch"]) % (1 + len(self.seen["epoch"]) // 20) == 0
        if not self._judged:  # a twentieth of the run later is soon enough
            return
        self._judge(trainer, module)
        asked = [verdict for verdict in self.verdicts if verdict.code in self.stop_on]
        if asked:
            trainer.should_stop = True
            self.ending = ("stopped", f"stopped by the diagnosis: {asked[0].title}: {asked[0].finding}")

    def on_train_end(self, trainer: Trainer, module: LightningModule) -> None:
        """What was not judged yet, and what is worth no warning and so was not said before."""
        if self._off:
            return
        if not self._judged:
            self._judge(trainer, module)
        if trainer.is_global_zero:
            self._say([verdict for verdict in self.verdicts if verdict.code not in self._said])
            if self._passed:
                print(
                    f"diagnosis: {self._passed} short epochs were passed over; callbacks.diagnosis.every=1 looks at all"
                )

    def on_exception(self, trainer: Trainer, module: LightningModule, exception: BaseException) -> None:
        if isinstance(exception, Diverged):
            epoch = trainer.current_epoch + 1
            if exception.where:
                verdict = Verdict.make("non_finite", epoch, what="the loss", where=exception.where)
            else:
                verdict = Verdict.make("diverged", epoch, train=exception.loss, train_best=min(
                    self.seen["train"], default=math.nan), base=exception.base)  # fmt: skip
            others = [each for each in self.verdicts if each.code not in ("good_fit", "not_enough_data", verdict.code)]
            if (steps := self.gradients.step_size()) and steps.code not in {each.code for each in others}:
                others.append(steps)
            self.verdicts = ordered([verdict, *others])

    def state_dict(self) -> dict[str, Any]:
        """All that the verdicts to come depend on, so that they are the same after a resume."""
        kept = {name: getattr(self, name) for name in KEPT}
        verdicts = [verdict.as_dict() for verdict in self.verdicts]
        return kept | {"verdicts": verdicts, "said": sorted(self._said), "gradients": self.gradients.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name in KEPT:
            setattr(self, name, state.get(name, getattr(self, name)))
        self.verdicts = [Verdict.from_dict(each) for each in state.get("verdicts", [])]
        self._said = set(state.get("said", []))
        self.gradients.load_state_dict(state["gradients"])

    def _spacing(self, trainer: Trainer) -> int:
        """Epochs between two looks."""
        batches = trainer.num_training_batches + sum(trainer.num_val_batches)
        return self.every or (1 if self.stop_on or self._probe is None else math.ceil(WORTH / max(batches, 1)))

    def _too_soon(self, trainer: Trainer) -> bool:
        epoch, looked = trainer.current_epoch + 1, self.seen["epoch"]
        return len(looked) >= ALWAYS and epoch - looked[-1] < self._spacing(trainer) and epoch != trainer.max_epochs

    def _look(self, trainer: Trainer, module: LightningModule) -> None:
        """Add this check to what was seen."""
        logged = {part: trainer.callback_metrics.get(name) for part, name in self.names.items()}
        values = {part: math.nan if value is None else float(value) for part, value in logged.items()}
        checks, epoch = len(self.seen["epoch"]) + 1, trainer.current_epoch + 1
        last = epoch == trainer.max_epochs
        if self._probe is not None:
            watched = checks <= ALWAYS or checks % 5 == 0 or last
            with recorded_activations(module) if watched else nullcontext() as found:
                loss = loss_of(self._probe, trainer, module, self.names["val"])
            values["train"] = values["train"] if math.isnan(loss) else loss
            if found is not None:
                dead, saturated = idle_shares(module, found)
                self._add(activations=epoch, dead=dead, saturated=saturated)
        self._add(epoch=epoch, **values)
        rounds, rest = divmod(epoch, FIRST_LOOK * self._spacing(trainer))
        if last or (rest == 0 and rounds.bit_count() == 1):
            self._classes, train, val = class_scores(self._probe, self._val_probe, trainer, module)
            if self._classes:
                self._add(looked=epoch, train_recall=train, val_recall=val)

    def _add(self, **values: Any) -> None:
        for name, value in values.items():
            self.seen[name].append(value)

    def _judge(self, trainer: Trainer, module: LightningModule) -> None:
        """Curves first, then network and predictions; what is new is printed. The first rank judges for all."""
        known, seen, scores = {verdict.code for verdict in self.verdicts}, self.seen, self._classes
        found = diagnose(
            seen["train"], seen["val"], self.base, seen["epoch"], frozen(trainer, module), self.expected_gain,
            self.val_scale,
        )  # fmt: skip
        looked, counts = seen["looked"], scores.get("counts", {})
        more = [
            self._leak,
            health.small_validation_set(self._val_samples, scores.get("accuracy")),
            health.dead_units(seen["dead"], seen["activations"]),
            health.saturated(seen["saturated"], seen["activations"]),
            *self.gradients.verdicts(self.base),
        ]
        if counts:
            more += [
                health.class_collapse(seen["val_recall"], counts, looked),
                health.minority_overfitting(seen["train_recall"], seen["val_recall"], counts, looked),
                health.miscalibrated(scores["confidence"], scores["accuracy"], scores["samples"]),
            ]
        self.verdicts = from_first(health.with_health(found, more))
        if trainer.is_global_zero:
            self._say([verdict for verdict in self.verdicts if verdict.code not in known and LEVEL[verdict.severity]])
            self._write(trainer, changed={verdict.code for verdict in self.verdicts} != known)

    def _say(self, verdicts: Sequence[Verdict]) -> None:
        for verdict in verdicts:
            print(f"diagnosis: {verdict}", flush=True)
            if "train" in verdict.evidence and self._probe is not None and not self._explained:
                print(f"diagnosis: training loss is that of {size(self._probe)} samples in evaluation mode", flush=True)
                self._explained = True
        self._said |= {verdict.code for verdict in verdicts}

    def _write(self, trainer: Trainer, changed: bool) -> None:
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                level = max(LEVEL[verdict.severity] for verdict in self.verdicts)
                logger.experiment.add_scalar("diagnosis/severity", level, trainer.global_step)
                if changed:
                    logger.experiment.add_text("diagnosis", as_markdown(self.verdicts), trainer.global_step)
