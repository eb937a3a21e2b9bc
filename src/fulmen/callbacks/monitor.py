"""What goes on inside a training, in TensorBoard, at a bounded price."""

from collections.abc import Callable
from functools import partial
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor

from fulmen.callbacks.board import Board
from fulmen.callbacks.time_budget import TimeBudget
from fulmen.callbacks.writing import distributions, draw_graph, first_convolution, gradients_of, images_in, weights_of
from fulmen.config.ranges import Count, Fraction, refuses_out_of_range
from fulmen.data.batches import Batch
from fulmen.lightning_private import is_dry_run
from fulmen.report import raster

LAST_CLASSES = 0.01  # seconds that are kept for the classes at the end, before it is known what they take
PER_TENSOR = 1e-3  # seconds for a histogram, before it is known what it takes
NORM = 1e-3  # seconds for the norm of the gradients, likewise
AT_LAST = 300  # tensors that are shown at the end, whatever the budget
SAMPLES = 256  # of the first validation batch: the probe


def is_last_step(trainer: Trainer) -> bool:
    """Whether the step that is about to be made is the last, as far as epochs and steps were limited beforehand."""
    last_epoch = trainer.is_last_batch and trainer.current_epoch + 1 == trainer.max_epochs
    return last_epoch or trainer.global_step + 1 == trainer.max_steps


class Monitor(Callback):
    """Gradients, weights, activations, predictions, classes, the graph and the machine in TensorBoard.

    With and without it a run ends with the same weights. Monitoring is limited to `share` of the training time, and to
    a fifth of that where an epoch takes 20 seconds or more; the end of the run says what was left out to keep to it.
    The graph, drawn once, comes before all else, and classes, weights, gradients and their norm are shown as they are
    at the end: what that costs is kept for it, and it is not left out. Of more than 300 tensors these are the first.
    Gradients are shown after the first epoch too: of a training that is stopped nobody knows which step is the last.

    Args:
        steps: optimizer steps between two gradient norms.
        epochs: between two records of activations, filters and predictions.
        share: of the training time that all of it may take.
        images: how many are shown.

    Raises:
        FulmenError: a share that is not between 0 and 1, or counts below 1.
    """

    @refuses_out_of_range
    def __init__(self, steps: Count = 20, epochs: Count = 5, share: Fraction = 0.05, images: Count = 16):
        self.steps, self.epochs, self.share, self.images = steps, epochs, share, images
        self.budget = TimeBudget(share)
        self._board: Board | None = None  # None: nothing to write to, or no longer
        self._probe: Batch | None = None
        self._inputs: Tensor | None = None
        self._sample: Batch | None = None  # to draw the graph by
        self._tensors = 0
        self._drawn, self._has_classes, self._unwritten = False, True, False
        self._classes_at = self._predictions_at = self._weights_at = -1  # steps at which they were shown last
        self._step = 0  # trainer.global_step, which takes longer to ask for than to count

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        boards = [logger for logger in trainer.loggers if isinstance(logger, TensorBoardLogger)]
        if not trainer.is_global_zero or is_dry_run(trainer):
            return
        if not boards:
            print("monitor: there is no TensorBoard logger to write to; callbacks=default leaves the monitor out")
            return
        self.budget, self._tensors = TimeBudget(self.share), sum(1 for _ in module.parameters())
        if not self._drawn:
            self.budget.keep("graph", self._graph_guess)
        if self._has_classes:
            self.budget.keep("classes", LAST_CLASSES)
        for name in ("weights", "gradients"):
            self.budget.keep(name, PER_TENSOR * min(self._tensors, AT_LAST))
        self.budget.keep("gradient norm", NORM)
        self._board = Board(boards[0].experiment, self.images)
        self._step = trainer.global_step

    def on_train_epoch_start(self, trainer: Trainer, module: LightningModule) -> None:
        self.budget.begin_epoch()

    def on_train_batch_start(self, trainer: Trainer, module: LightningModule, batch: Any, batch_idx: int) -> None:
        if not self._board:
            return
        if batch_idx == 0 and trainer.current_epoch % self.epochs == 0:
            self._inputs = images_in(batch)
        if not self._drawn and isinstance(batch, dict):
            self._sample = batch
            self._do("graph", lambda: self._draw(trainer, module), self._graph_guess)

    def on_validation_batch_start(self, trainer: Trainer, module: LightningModule, batch: Any, *_: Any) -> None:
        if self._board and self._probe is None and isinstance(batch, dict):
            self._probe = {name: value[:SAMPLES] if isinstance(value, Tensor) and value.ndim else value
                           for name, value in batch.items()}  # fmt: skip

    def on_before_optimizer_step(self, trainer: Trainer, module: LightningModule, optimizer: Any) -> None:
        step, self._step = self._step, self._step + 1
        board = self._board
        if not board:
            return
        # Nobody knows how many epochs there will be: the end of the first may be the last.
        first = trainer.is_last_batch and not self.budget.done["gradients"]
        at_last = is_last_step(trainer) or first
        if step % self.steps == 0 or at_last:
            self._do("gradient norm", lambda: board.norm(module, step), NORM, at_last)
        if trainer.is_last_batch:  # validation will wipe them out
            self._gradients(board, module, step, at_last)

    def _gradients(self, board: Board, module: LightningModule, step: int, at_last: bool) -> None:
        def write() -> None:
            distributions(board.writer, "weights_gradients", gradients_of(module)[: AT_LAST if at_last else None], step)

        self._do("gradients", write, PER_TENSOR * self._tensors, at_last)

    def _weights(self, board: Board, module: LightningModule, step: int, at_last: bool) -> None:
        def write() -> None:
            distributions(board.writer, "weights", weights_of(module)[: AT_LAST if at_last else None], step)
            self._weights_at = step

        self._do("weights", write, PER_TENSOR * self._tensors, at_last)

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        board, step = self._board, trainer.global_step
        if not board:
            return
        self._do("system", lambda: board.system(module, step), 2e-3)
        self._weights(board, module, step, at_last=False)
        if (probe := self._probe) is not None:
            self._of_probe(board, trainer, module, probe)
        if trainer.current_epoch % self.epochs == 0:
            if (inputs := self._inputs) is not None:
                self._do("input images", lambda: board.grid("inputs", inputs[: self.images], step), 0.02)
            if (first := first_convolution(module)) is not None:
                self._do("filters", lambda: board.grid("filters", raster.filters(first.weight), step), 0.02)
        self._write()

    @property
    def _graph_guess(self) -> float:
        return 0.005 * self._tensors

    def _draw(self, trainer: Trainer, module: LightningModule) -> None:
        if self._board and self._sample and (why := draw_graph(self._board.writer, trainer, module, self._sample)):
            print(f"monitor: the graph of this model cannot be drawn: {why}")
        self._drawn, self._sample = True, None
        self.budget.kept.pop("graph", None)
        self.budget.skipped.pop("graph", None)  # it only came later

    def _of_probe(self, board: Board, trainer: Trainer, module: LightningModule, probe: Batch) -> None:
        """Classes at every epoch, activations and images at some."""
        step, seldom = trainer.global_step, trainer.current_epoch % self.epochs == 0

        def classes() -> None:
            self._show_classes(board, trainer, module, probe, seldom)

        if self._has_classes and self._do("classes", classes, 0.03):
            self.budget.keep("classes") if self._has_classes else self.budget.kept.pop("classes", None)
        if seldom:
            self._do("activations", lambda: board.activations(trainer, module, probe, step), 0.03)

    def _show_classes(
        self, board: Board, trainer: Trainer, module: LightningModule, probe: Batch, with_images: bool
    ) -> None:  # fmt: skip
        """What was not shown at this step yet."""
        step = trainer.global_step
        scores, with_images = self._classes_at != step, with_images and self._predictions_at != step
        if scores or with_images:
            self._has_classes = board.classes(trainer, module, probe, step, scores, with_images)
        self._classes_at = step
        self._predictions_at = step if with_images else self._predictions_at

    def on_train_end(self, trainer: Trainer, module: LightningModule) -> None:
        board, probe = self._board, self._probe
        if board and self._sample:
            self._do("graph", lambda: self._draw(trainer, module), 0.0, at_last=True)
        if board and probe is not None and self._has_classes:
            self._do("classes", partial(self._show_classes, board, trainer, module, probe, True), 0.0, at_last=True)
        if board and self._weights_at != trainer.global_step:
            self._weights(board, module, trainer.global_step, at_last=True)
        self._say(trainer)

    def state_dict(self) -> dict[str, Any]:
        """What a resumed run does not show again."""
        return {"drawn": self._drawn, "classes_at": self._classes_at, "predictions_at": self._predictions_at}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._drawn, self._classes_at = state.get("drawn", False), state.get("classes_at", -1)
        self._predictions_at = state.get("predictions_at", -1)

    def on_exception(self, trainer: Trainer, module: LightningModule, exception: BaseException) -> None:
        self._say(trainer)

    def _say(self, trainer: Trainer) -> None:
        board, text = self._board, self.budget.account()
        if not board:
            return
        self._guarded(lambda: board.writer.add_text("monitor", text, trainer.global_step))
        self._unwritten = True
        self._write()
        print(f"monitor: {text}", flush=True)
        self._board = None

    def _do(self, name: str, job: Callable[[], None], guess: float, at_last: bool = False) -> bool:
        """A job within the budget, or `at_last` whatever it costs, if it was done; one that cannot write ends the
        monitoring, not the training."""
        run = partial(self.budget.run_at_last, name, job) if at_last else partial(self.budget.run, name, job, guess)
        done = bool(self._guarded(run))
        self._unwritten = self._unwritten or done
        return done

    def _write(self) -> None:
        """What the thread that writes has still to do counts too: wait for it, as Lightning does soon after."""
        board = self._board

        def job() -> None:
            if board:
                board.write_norms()
                board.writer.flush()
            self._unwritten = False

        if self._unwritten:
            self._guarded(lambda: self.budget.count(job))

    def _guarded(self, job: Callable[[], Any]) -> Any:
        if self._board is None:
            return None
        try:
            return job()
        except OSError as error:
            where = self._board.writer.log_dir
            print(f"monitor: cannot write to {where} ({error.strerror or error}); off from here on")
            self._board = None
            return None
