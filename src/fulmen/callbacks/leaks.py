"""Leaks are looked for as soon as the data are set up; what is found is told at the beginning of a training."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from fulmen.callbacks.fitted_leaks import choice_leaks, setup_leaks
from fulmen.callbacks.taken import told_before
from fulmen.data.leaks.leak import Leak
from fulmen.data.leaks.look import Looked, look, looked_further
from fulmen.diagnosis.ignored import Ignored, as_plain, in_a_line
from fulmen.distributed.ranks import from_first, is_first
from fulmen.report.leaks import NO_END, same
from fulmen.report.leaks import OFF as SWITCHED_OFF
from fulmen.workload import WorkloadData

OFF = "off"


class FindLeaks(Callback):
    """Scans the samples once for a trainer, on the first process, and tells what it found.

    Args:
        mode: off, scan, strict, deep or deep_strict, as `leaks` of a config.
        ignore: findings that are not reported, by code or name.

    Raises:
        FulmenError: `ignore` names no finding.

    Attributes:
        looked: what the scan came to; None: there was none yet.
    """

    def __init__(self, mode: str = "scan", ignore: Sequence[str] = ()):
        self.mode, self.ignored = mode, Ignored.of(ignore)
        self.looked: Looked | None = None

    @property
    def unscanned(self) -> str:
        """Why it is not known whether the data have leaks; "" where they were scanned or cannot be."""
        if self.mode == OFF:
            return SWITCHED_OFF
        return f"{NO_END} ({self.looked.failed})" if self.looked and self.looked.failed else ""

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        data: Any = getattr(trainer, "datamodule", None)
        if self.looked or self.mode == OFF or not isinstance(data, WorkloadData):
            return
        here = look(data.all_samples, is_deep(self.mode), self.ignored) if is_first() else Looked()
        self.looked = from_first(here)
        tell(self.looked.doubts, self.looked.ignored)
        refuse_where_strict(self.looked, self.mode)

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if self._add(trainer, lambda data: setup_leaks(trainer, pl_module, data)) and self.looked:
            refuse_where_strict(self.looked, self.mode)

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._add(trainer, lambda data: choice_leaks(pl_module, data))

    def _add(self, trainer: Trainer, find: Callable[[WorkloadData], list[Leak]]) -> bool:
        """Look for leaks of the module, in a training of one process; whether there are any."""
        data: Any = getattr(trainer, "datamodule", None)
        if self.looked is None or trainer.world_size > 1 or not isinstance(data, WorkloadData):
            return False
        further = looked_further(self.looked, lambda: find(data), self.ignored)
        if further is self.looked:
            return False
        self.looked = further
        tell(self.looked.doubts, self.looked.ignored)
        return True


def is_deep(mode: str) -> bool:
    """Whether models are fitted to find leaks."""
    return mode.startswith("deep")


def refuse_where_strict(looked: Looked, mode: str) -> None:
    """Pass if nothing was found that `leaks=strict` or `leaks=deep_strict` refuses.

    Raises:
        FulmenError: something was; all is named with what removes it.
    """
    if mode.endswith("strict"):
        looked.refuse(f"leaks={mode}", f"leaks={mode.removesuffix('strict').strip('_') or 'scan'}")


def looked_at(data: Any, cfg: Mapping[str, Any]) -> Looked:
    """What the scan that a config asks for finds in data that are set up.

    Args:
        cfg: of a training; without `leaks` its data are scanned.
    """
    mode = cfg.get("leaks", "scan")
    if mode == OFF or not isinstance(data, WorkloadData):
        return Looked()
    return look(data.all_samples, is_deep(mode), Ignored.of(ignored_by(cfg)))


def ignored_by(cfg: Mapping[str, Any]) -> list[str]:
    """The findings that a config asks not to report, as they were typed."""
    return list((cfg.get("findings") or {}).get("ignore") or ())


def tell(leaks: Iterable[Leak], ignored: Sequence[Leak] = ()) -> None:
    """A line for each leak on the first process; within `told_once` none twice, whatever its numbers are."""
    if not is_first():
        return
    for leak in leaks:
        if not told_before("leak", *same(leak.as_dict())):
            print(leak.told, flush=True)
    if (line := in_a_line(as_plain(ignored))) and not told_before(line):
        print(f"leak: {line}", flush=True)
