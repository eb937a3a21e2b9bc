"""What a diagnosis tells, and is told: new findings on the console, all in TensorBoard, verdicts by code or name."""

from collections.abc import Sequence

from lightning.pytorch import Trainer
from lightning.pytorch.loggers import TensorBoardLogger

from fulmen.callbacks.probes import Probes
from fulmen.config.mistakes import did_you_mean
from fulmen.diagnosis import Verdict
from fulmen.diagnosis.findings import FINDINGS
from fulmen.diagnosis.ignored import as_plain, in_a_line
from fulmen.diagnosis.texts import TEXTS
from fulmen.diagnosis.verdicts import as_markdown
from fulmen.errors import FulmenError
from fulmen.report.words import counted

LEVEL = {"ok": 0, "note": 0, "warning": 1, "error": 2}


class Told:
    """What was said so far.

    Attributes:
        said: names of the verdicts that were printed.
    """

    def __init__(self) -> None:
        self.said: set[str] = set()
        self._written = ""  # the last text for TensorBoard

    def say(self, verdicts: Sequence[Verdict], probes: Probes) -> None:
        """A line each; the first training loss that is named comes with what it is the loss of."""
        for verdict in verdicts:
            print(f"diagnosis: {verdict.id} {verdict}", flush=True)
            if "train" in verdict.evidence and (note := probes.note_once()):
                print(f"diagnosis: {note}", flush=True)
        self.said |= {verdict.code for verdict in verdicts}

    def say_the_rest(self, ignored: Sequence[Verdict], passed: int) -> None:
        """At the end: what was ignored, and how many epochs were not examined."""
        if line := in_a_line(as_plain(ignored)):
            print(f"diagnosis: {line}")
        if passed:
            left_out = f"{counted(passed, 'short epoch')} {'was' if passed == 1 else 'were'} not examined"
            print(f"diagnosis: {left_out}; callbacks.diagnosis.every=1 examines all")

    def write_severity(self, verdicts: Sequence[Verdict], trainer: Trainer) -> None:
        level = max((LEVEL[verdict.severity] for verdict in verdicts), default=0)
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_scalar("watch/diagnosis_severity", level, trainer.global_step)

    def write_text(self, verdicts: Sequence[Verdict], trainer: Trainer) -> None:
        """The verdicts as they stand, if they were not written like that before."""
        text = as_markdown(verdicts)
        for logger in trainer.loggers if text != self._written else ():
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_text("diagnosis", text, trainer.global_step)
        self._written = text


def names_of(stop_on: Sequence[str]) -> tuple[str, ...]:
    """Names of the verdicts that are to end a training, given by name or code.

    Raises:
        FulmenError: there is no such verdict.
    """
    by_code = {each.code: name for name, each in FINDINGS.items()}
    names = [by_code.get(word, word) for word in stop_on]
    for name in names:
        if name not in TEXTS:
            raise FulmenError(f"stop_on has {name!r}, no verdict{did_you_mean(name, list(TEXTS))}; "
                              f"there are {', '.join(TEXTS)}")  # fmt: skip
    return tuple(names)
