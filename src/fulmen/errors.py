"""The one exception that is a message to the person at the keyboard rather than a defect."""

OBSTRUCTED = 75  # exit code of a search's own `python train.py` that was obstructed: "try again" in sysexits.h
PEER_LOST = 69  # exit code where another process of the run has died: "unavailable" in sysexits.h
IN_A_TRIAL = "FULMEN_IN_A_TRIAL"  # in the environment of such a process


class FulmenError(Exception):
    """Something the user can mend; programs print it without a traceback and exit with `exit_code`."""

    exit_code = 2
    status = "failed"  # of a run that ends with it
    told = False  # by another process of the run: printed once is enough

    def _render_traceback_(self) -> list[str]:
        """What IPython and Jupyter show in the place of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class Newer(FulmenError):
    """A file was written by a later fulmen."""


class Interrupted(FulmenError):
    """Training was asked to stop (Ctrl-C, SIGTERM) and has saved itself."""

    status = "interrupted"

    def __init__(self, message: str, exit_code: int):
        super().__init__(message)
        self.exit_code = exit_code


class Obstructed(FulmenError):
    """The machine stood in the way, such as a full disk: what was tried is not to blame, and works once that is mended.

    A search does not count it as a result: it stops, and the same command tries the trial again.
    """


class PeerLost(Interrupted):
    """Another process of the run has died."""

    def __init__(self, message: str):
        super().__init__(message, exit_code=PEER_LOST)


class Diverged(FulmenError):
    """Training has left all bounds: going on would be a waste.

    Attributes:
        where: what first was not finite; None if the loss was finite, but too large.
        loss: the loss that was too much.
        base: what a forecast that costs nothing would score.
    """

    status = "diverged"

    def __init__(self, message: str, where: str | None = None, loss: float = float("nan"), base: float = float("nan")):
        super().__init__(message)
        self.where, self.loss, self.base = where, loss, base
