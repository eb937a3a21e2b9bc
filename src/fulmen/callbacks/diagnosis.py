"""A training that says what is wrong with it, and what to try."""

import math
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer

from fulmen.callbacks.activations import idle_shares, recorded_activations
from fulmen.callbacks.base import Watcher
from fulmen.callbacks.gradients import GradientWatch
from fulmen.callbacks.levels import base_of, errors_of
from fulmen.callbacks.probe_metrics import class_scores, classes_of, frozen, loss_of
from fulmen.callbacks.probes import Probes
from fulmen.callbacks.seen import Seen
from fulmen.callbacks.told import LEVEL, Told, names_of
from fulmen.config.ranges import Count, Share, refuses_out_of_range
from fulmen.data.batches import Batch, size
from fulmen.diagnosis import Verdict
from fulmen.diagnosis.ignored import Ignored
from fulmen.diagnosis.verdicts import ordered
from fulmen.distributed.ranks import from_first, sum_over_ranks
from fulmen.errors import Diverged, FulmenError
from fulmen.lightning_private import is_dry_run, overfits_batches

FIRST_LOOK = 5  # checks before the first look at the predictions, which costs as much as a validation; then 10, 20, ...
ALWAYS = 6  # checks with a look at the activations; then every fifth


class Diagnosis(Watcher):
    """Judges the curves, the network and its predictions after every validation.

    The training loss is taken on a fixed probe of training samples, in evaluation mode and by the module's own
    `validation_step` (or `probe_loss(batch)`, where the validation loss is made at the end of the epoch), so that both
    compare, and so is the loss of a constant predictor (`constant_loss(batch)`). The probe costs a few per cent of what
    is trained: it has a twentieth of the training samples, 512 at least, or all there are, and 2,048 at most. How well
    it knows the loss of all of them is measured with it; a verdict that this error could overturn is not given. Without
    an in-memory data module the logged training loss stands in for it. A new finding is one line on
    the console; all of them go to TensorBoard, `result.json` and the report. What costs more is examined less often as
    the run goes on: predictions after 5, 10, 20, 40 ... validations, activations after every fifth. Of epochs with
    fewer than 50 batches not every one is examined, after the first six; the end of the run says so.

    Args:
        stop_on: verdicts that end the training, such as [overfitting, FUL-D05].
        train_loss: the logged training loss.
        val_loss: the logged validation loss.
        expected_gain: share of the loss of a constant predictor that a good model takes away at least; 0 where little
            can be predicted, such as returns.
        every: epochs between two examinations; by default as many as have 50 batches, 1 with `stop_on`.
        ignore: findings, by code or name, that are neither printed nor among the verdicts; those of other letters are
            for others.

    Raises:
        FulmenError: `stop_on` names no verdict, `ignore` no finding, both the same one, a gain is beyond 0 ... 1, or
            `every` is below 1.

    Attributes:
        verdicts: after the last check, those that warn first.
        ignored: likewise, what was left out of them.
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
        ignore: Sequence[str] = (),
    ):
        self.stop_on, self.ignoring = names_of(stop_on), Ignored.of(ignore)
        self.expected_gain, self.every = expected_gain, every
        if both := self.ignoring.names & set(self.stop_on):
            raise FulmenError(f"{', '.join(sorted(both))} cannot end a training that is asked to ignore it")
        self.names = {"train": train_loss, "val": val_loss}
        self.verdicts: list[Verdict] = []
        self.ignored: list[Verdict] = []
        self.ending: tuple[str, str] | None = None
        self.seen, self.gradients, self.probes, self.told = Seen(), GradientWatch(), Probes(), Told()
        self._off = False  # nothing is judged where batches are few on purpose
        self._validated = False  # since the last check
        self._judged = True  # all that was seen
        self._passed = 0  # epochs that were not looked at

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        self._off = is_dry_run(trainer) or overfits_batches(trainer)
        self.probes = Probes() if self._off else Probes.of(trainer)
        if self.probes.small_classes and classes_of(self.probes.val, trainer, module) is None:
            self.probes.small_classes = None  # whole numbers that are no classes
        if self.probes.train is not None and self.seen.base is None:
            self._begin(trainer, module, self.probes.train)

    def _begin(self, trainer: Trainer, module: LightningModule, probe: Batch) -> None:
        """What losses will be compared with: those before the first step, and of a forecast that costs nothing."""
        start, val_start = (loss_of(each, trainer, module, self.names["val"]) for each in (probe, self.probes.val))
        seen, base = self.seen, base_of(start, probe, trainer, module)
        seen.start, seen.comparable = start, math.isfinite(start)
        seen.base, seen.base_of = base.loss, base.of
        seen.compare_scales(*(self.probes.constants(val_start, trainer, module) or (start, val_start)))

    def on_before_optimizer_step(self, trainer: Trainer, module: LightningModule, optimizer: Any) -> None:
        if not self._off:
            self.gradients.before_step(module)

    def on_train_batch_end(self, trainer: Trainer, module: LightningModule, *_: Any) -> None:
        self.gradients.after_step()

    def on_validation_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Any, *_: Any
    ) -> None:
        self.seen.val_samples += size(batch)

    def on_validation_start(self, trainer: Trainer, module: LightningModule) -> None:
        self.seen.val_samples = 0

    def on_validation_end(self, trainer: Trainer, module: LightningModule) -> None:
        self._validated = not trainer.sanity_checking
        self.seen.val_samples = int(sum_over_ranks(torch.tensor(self.seen.val_samples)))

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        if self._off or not self._validated:
            return
        self._validated = False
        val = trainer.callback_metrics.get(self.names["val"])
        self.seen.add(validated=trainer.current_epoch + 1, every_val=math.nan if val is None else float(val))
        if self._too_soon(trainer):
            self._passed += 1
            return
        self._look(trainer, module)
        self._judged = bool(self.stop_on) or self.seen.checks % (1 + self.seen.checks // 20) == 0
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
            self.told.say([verdict for verdict in self.verdicts if verdict.code not in self.told.said], self.probes)
            self.told.say_the_rest(self.ignored, self._passed)
            self.told.write_text(self.verdicts, trainer)

    def on_exception(self, trainer: Trainer, module: LightningModule, exception: BaseException) -> None:
        if not isinstance(exception, Diverged):
            return
        epoch = trainer.current_epoch + 1
        if exception.where:
            verdict = Verdict.make("non_finite", epoch, what="the loss", where=exception.where)
        else:
            best = self.seen.best_train
            versus = f"a constant predictor has {exception.base:.3g}"
            verdict = Verdict.make(
                "diverged", epoch, train=exception.loss, train_best=best, base=exception.base, versus=versus
            )
        others = [each for each in self.verdicts if each.code not in ("good_fit", "not_enough_data", verdict.code)]
        if (steps := self.gradients.step_size()) and steps.code not in {each.code for each in others}:
            others.append(steps)
        self.verdicts, ignored = self.ignoring.split(ordered([verdict, *others]))
        self.ignored = [*ignored, *self.ignored]
        if trainer.is_global_zero:
            self.told.write_text(self.verdicts, trainer)

    def state_dict(self) -> dict[str, Any]:
        """All that the verdicts to come depend on, so that they are the same after a resume."""
        return self.seen.state_dict() | {
            "_judged": self._judged, "_validated": self._validated, "_passed": self._passed,
            "verdicts": [verdict.as_dict() for verdict in self.verdicts],
            "ignored": [verdict.as_dict() for verdict in self.ignored], "said": sorted(self.told.said),
            "gradients": self.gradients.state_dict(),
        }  # fmt: skip

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.seen.load_state_dict(state)
        self._judged, self._validated = state.get("_judged", True), state.get("_validated", False)
        self._passed = state.get("_passed", 0)
        self.verdicts = [Verdict.from_dict(each) for each in state.get("verdicts", [])]
        self.ignored = [Verdict.from_dict(each) for each in state.get("ignored", [])]
        self.told.said = set(state.get("said", []))
        self.gradients.load_state_dict(state["gradients"])

    def _spacing(self, trainer: Trainer) -> int:
        """Epochs between two looks."""
        often = self.stop_on or self.probes.train is None
        return self.every or (1 if often else self.probes.spacing(trainer))

    def _too_soon(self, trainer: Trainer) -> bool:
        epoch, looked = trainer.current_epoch + 1, self.seen.lists["epoch"]
        return len(looked) >= ALWAYS and epoch - looked[-1] < self._spacing(trainer) and epoch != trainer.max_epochs

    def _look(self, trainer: Trainer, module: LightningModule) -> None:
        """Add this check to what was seen."""
        logged = {name: trainer.callback_metrics.get(metric) for name, metric in self.names.items()}
        values = {name: math.nan if value is None else float(value) for name, value in logged.items()}
        checks, epoch, logged_train = self.seen.checks + 1, trainer.current_epoch + 1, values["train"]
        last = epoch == trainer.max_epochs
        if self.probes.train is not None:
            watched = checks <= ALWAYS or checks % 5 == 0 or last
            with recorded_activations(module) if watched else nullcontext() as found:
                loss = loss_of(self.probes.train, trainer, module, self.names["val"])
            values["train"] = values["train"] if math.isnan(loss) else loss
            if found is not None:
                dead, saturated = idle_shares(module, found)
                self.seen.add(activations=epoch, dead=dead, saturated=saturated)
        self.seen.add(epoch=epoch, logged=logged_train, **values)
        rounds, rest = divmod(epoch, FIRST_LOOK * self._spacing(trainer))
        rare = last or (rest == 0 and rounds.bit_count() == 1)
        if (last or checks in (ALWAYS, 4 * ALWAYS)) and self.seen.comparable:
            rows, sizes = self.probes.rows, self.probes.sizes
            self.seen.errors = errors_of(*rows, sizes, self.seen.start, trainer, module, self.names["val"])
        if rare:
            self.seen.classes, train, val = class_scores(self.probes.train, self.probes.val, trainer, module)
            if self.seen.classes:
                self.seen.add(looked=epoch, train_recall=train, val_recall=val)

    def _judge(self, trainer: Trainer, module: LightningModule) -> None:
        """What is new is printed; the first rank judges for all."""
        rates = [float(group["lr"]) for optimizer in trainer.optimizers for group in optimizer.param_groups]
        self.seen.rates = max(self.seen.rates[0], *rates, 0.0), max(rates, default=0.0)
        known = {verdict.code for verdict in self.verdicts}
        more = [self.probes.leak, self.probes.small_classes, *self.gradients.verdicts(self.seen.base)]
        found = from_first(self.seen.verdicts(frozen(trainer, module), self.expected_gain, more))
        self.verdicts, self.ignored = self.ignoring.split(found)
        if trainer.is_global_zero:
            new = [verdict for verdict in self.verdicts if verdict.code not in known and LEVEL[verdict.severity]]
            self.told.say(new, self.probes)
            self.told.write_severity(self.verdicts, trainer)
            if {verdict.code for verdict in self.verdicts} != known:
                self.told.write_text(self.verdicts, trainer)
