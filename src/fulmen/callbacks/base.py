"""What a callback or a logger can say and do beyond Lightning's own: callers ask by class, never by a name.

Plain callbacks and loggers of Lightning work beside these; they are only not asked.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lightning.pytorch import Callback
from lightning.pytorch.loggers import Logger

from fulmen.diagnosis import Verdict


class Watcher(Callback):
    """A callback that has something to say of the training in the run's result.

    Attributes:
        verdicts: what it found so far, what warns first.
        ignored: what it found and was asked not to report.
        ending: status and message of the run, if it ended the training; None otherwise.
    """

    verdicts: Sequence[Verdict] = ()
    ignored: Sequence[Verdict] = ()
    ending: tuple[str, str] | None = None


class RunLogger(Logger):
    """A logger that goes on where an interrupted run was saved, and that is told what came of it."""

    def state_dict(self) -> dict[str, Any]:
        """What `resume` needs to go on from here, in plain values; it is stored in the run's checkpoints."""
        return {}

    def resume(self, step: int, state: dict[str, Any] | None = None) -> None:
        """Take back what was logged after the checkpoint from which the run goes on: it will be logged again.

        Args:
            step: of the optimizer, where the checkpoint was taken.
            state: what `state_dict` gave there; None where the checkpoint holds none.
        """

    def log_settings(self, settings: Mapping[str, Any]) -> None:
        """Take the settings of the run, flat, before it trains; a resumed run gives them again."""

    def log_result(self, hyperparameters: dict[str, Any], metrics: dict[str, float], step: int) -> None:
        """Take the settings of the run, flat, beside its final metrics."""
