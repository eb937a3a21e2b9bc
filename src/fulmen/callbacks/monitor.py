"""What goes on inside a training, in TensorBoard, at a bounded price."""

from collections.abc import Callable
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

SAMPLES = 256  # of the first validation batch: the probe


class Monitor(Callback):
    """Gradients, weights, activations, predictions, classes, the graph and the machine in TensorBoard.

    With and without it a run ends with the same weights. Monitoring is limited to `share` of the training time, and to
    a fifth of that where an epoch takes 20 seconds or more; the end of the run says what was left out to keep to it.

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
        self._drawn, self._has_classes, self._unwritten = False, True, False
        self._step = 0  # trainer.global_step, which takes longer to ask for than to count

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        boards = [logger for logger in trainer.loggers if isinstance(logger, TensorBoardLogger)]
        if not trainer.is_global_zero or is_dry_run(trainer):
            return
        if not boards:
            print("monitor: there is no TensorBoard logger to write to; callbacks=default leaves the monitor out")
            return
        self.budget = TimeBudget(self.share)
        self._board = Board(boards[0].experiment, self.images)
        self._step = trainer.global_step

    def on_train_epoch_start(self, trainer: Trainer, module: LightningModule) -> None:
        self.budget.begin_epoch()

    def on_train_batch_start(self, trainer: Trainer, module: LightningModule, batch: Any, batch_idx: int) -> None:
        if batch_idx == 0 and self._board and trainer.current_epoch % self.epochs == 0:
            self._inputs = images_in(batch)

    def on_validation_batch_start(self, trainer: Trainer, module: LightningModule, batch: Any, *_: Any) -> None:
        if self._board and self._probe is None and isinstance(batch, dict):
            self._probe = {name: value[:SAMPLES] if isinstance(value, Tensor) and value.ndim else value
                           for name, value in batch.items()}  # fmt: skip

    def on_before_optimizer_step(self, trainer: Trainer, module: LightningModule, optimizer: Any) -> None:
        step, self._step = self._step, self._step + 1
        board = self._board
        if not board:
            return
        if step % self.steps == 0:
            self._do("gradient norm", lambda: board.norm(module, step), 1e-3)
        if trainer.is_last_batch:  # validation will wipe them out
            tensors = sum(1 for _ in module.parameters())
            self._do("gradients", lambda: distributions(board.writer, gradients_of(module), step), 1e-3 * tensors)

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        board, step, tensors = self._board, trainer.global_step, sum(1 for _ in module.parameters())
        if not board:
            return
        self._do("system", lambda: board.system(module, step), 2e-3)
        self._do("weights", lambda: distributions(board.writer, weights_of(module), step), 1e-3 * tensors)
        if (probe := self._probe) is not None:
            self._of_probe(board, trainer, module, probe)
        if trainer.current_epoch % self.epochs == 0:
            if (inputs := self._inputs) is not None:
                self._do("input images", lambda: board.grid("inputs", inputs[: self.images], step), 0.02)
            if (first := first_convolution(module)) is not None:
                self._do("filters", lambda: board.grid("filters", raster.filters(first.weight), step), 0.02)
        if not self._drawn and probe is not None:
            guess = 0.04 + 0.004 * tensors
            self._drawn = self._do("graph", lambda: draw_graph(board.writer, trainer, module, probe), guess)
        self._write()

    def _of_probe(self, board: Board, trainer: Trainer, module: LightningModule, probe: Batch) -> None:
        """Classes at every epoch, activations and images at some."""
        step, seldom = trainer.global_step, trainer.current_epoch % self.epochs == 0

        def classes() -> None:
            self._has_classes = board.classes(trainer, module, probe, step, with_images=seldom)

        if self._has_classes:
            self._do("classes", classes, 0.03)
        if seldom:
            self._do("activations", lambda: board.activations(trainer, module, probe, step), 0.03)

    def on_train_end(self, trainer: Trainer, module: LightningModule) -> None:
        self._say(trainer)

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

    def _do(self, name: str, job: Callable[[], None], guess: float) -> bool:
        """A job within the budget, if it was done; one that cannot write ends the monitoring, not the training."""
        done = bool(self._guarded(lambda: self.budget.run(name, job, guess)))
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
