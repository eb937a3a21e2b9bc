"""One trial trained: in this process, or as a `python train.py` of its own."""

import io
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import optuna

from fulmen.config.check import check_varied
from fulmen.config.mistakes import as_text, did_you_mean, key_of
from fulmen.config.schema import groups, project_root
from fulmen.distributed.process_identity import Owner, owner
from fulmen.errors import IN_A_TRIAL, OBSTRUCTED, PEER_LOST, FulmenError, Interrupted, Obstructed
from fulmen.runs.result import read_result
from fulmen.search.memory import Memory
from fulmen.search.study import Outcome, Study
from fulmen.utils.files import obstruction

QUIET = ("callbacks.progress=null", "callbacks.summary=null", "logger.tensorboard=null")  # the study reports


_memory = Memory()


class Killed(FulmenError):
    """A training's own process died of a signal."""


def overrides_for(study: Study, trial: optuna.Trial) -> list[str]:
    """The overrides of a trial's training beside those that all share: its point, what watches it, no more output."""
    pruning = {
        "_target_": "fulmen.search.pruning.Pruning",
        "study": str(study.folder),
        "trial": trial.number,
        "monitor": study.base["monitor"],
    }
    shares = study.search.workers > 1 and not any(key_of(o) == "threads" for o in study.plan.overrides)
    quiet = [o for o in QUIET if has_entry(study, key_of(o))]
    own = [*study.point_overrides(trial), "test=false", *["threads=1"] * shares, *quiet]
    return [*own, f"+callbacks.pruning={as_text(pruning)}"]


def train_here(study: Study, trial: optuna.Trial) -> Outcome:
    """Train in this process; what it prints goes into the trial's `log.txt`."""
    from fulmen.runs.run import run

    folder = study.trial_folder(trial.number)
    own = [*overrides_for(study, trial), f"output_dir={as_text(str(folder))}"]
    shared = [*study.plan.overrides, *(o for o in own if key_of(o) in groups())]
    overrides = [*study.plan.overrides, *own]
    began = time.monotonic()
    with log_to(folder):
        try:
            result = run(check_varied(shared, [o for o in own if o not in shared]), overrides)
            return outcome(study, result.metrics, result.cost, result.status, result.epochs)
        except Exception as error:
            if isinstance(error, Interrupted) or obstruction(error):
                raise
            traceback.print_exc()
            return Outcome(error=in_words(error), facts={"seconds": round(time.monotonic() - began, 3)})
        finally:
            _memory.give_back()


def train_apart(study: Study, trial: optuna.Trial, environment: Mapping[str, str]) -> Outcome:
    """Train by `python train.py`, whatever number of processes that starts; its death is not ours."""
    folder = study.trial_folder(trial.number).resolve()
    typed = [*study.plan.overrides, *overrides_for(study, trial), f"hydra.run.dir={as_text(str(folder))}"]
    began = time.monotonic()
    try:
        run_apart(folder, typed, environment, lambda child: trial.set_user_attr("child", child))
    except Killed:  # for want of memory perhaps: worth another try
        return Outcome()
    except (Interrupted, Obstructed):
        raise
    except FulmenError as error:
        return Outcome(error=str(error), facts={"seconds": round(time.monotonic() - began, 3)})
    result = read_result(folder)
    return outcome(study, result["metrics"], result["cost"], result["status"], result["epochs"])


def run_apart(
    folder: Path,
    typed: Sequence[str],
    environment: Mapping[str, str] = MappingProxyType({}),
    started: Callable[[Owner], None] = lambda child: None,
) -> None:
    """`python train.py <typed>`, what it prints in the `log.txt` of `folder`.

    Raises:
        Killed: it died of a signal.
        Interrupted, Obstructed: it was asked to stop; the machine stood in its way.
        FulmenError: it failed; the message is what it said.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "log.txt", "a") as log:
        child = subprocess.Popen(
            [sys.executable, str(project_root() / "train.py"), *typed],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(os.environ) | dict(environment) | {IN_A_TRIAL: "1"},
            start_new_session=True,
        )
        started(owner(child.pid))
        try:
            code = child.wait()
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            raise
    if code < 0 or code == PEER_LOST:
        raise Killed(f"killed by {signal.Signals(-code).name}" if code < 0 else "one of its processes was killed")
    if code == OBSTRUCTED:
        raise Obstructed(_said(folder) or f"{folder} could not be written; see {folder / 'log.txt'}")
    if code in (128 + signal.SIGTERM, 128 + signal.SIGINT, 128 + signal.SIGUSR1):
        raise Interrupted(f"{folder} was asked to stop", code)
    if code != 0:
        raise FulmenError(_said(folder) or f"exit code {code}")


def _said(folder: Path) -> str:
    """The complaint that a training ended with, by its log."""
    lines = (folder / "log.txt").read_text(errors="replace").strip().splitlines()
    said = next((line for line in reversed(lines) if line.startswith("error: ")), lines[-1] if lines else "")
    return said.removeprefix("error: ")


def outcome(study: Study, metrics: Mapping[str, Any], cost: Mapping[str, Any], status: str, epochs: int) -> Outcome:
    """What a finished run is worth to its study: the best monitored value, other metrics as they ended."""
    facts = {
        "epochs": epochs,
        "seconds": round(cost["fit_seconds"], 3),
        "parameters": cost["parameters"],
    }
    if status == "pruned":
        return Outcome(pruned=True, facts=facts)
    known = {**cost, **metrics, study.base["monitor"]: metrics.get(f"best/{study.base['monitor']}", ...)}
    values = []
    for name in study.objectives:
        value = known.get(name, ...)
        if value is ...:
            names = sorted(metric for metric in {*metrics, "parameters", "fit_seconds"} if "best/" not in metric)
            return Outcome(error=f"the model logs no {name}{did_you_mean(name, names)}", facts=facts)
        values.append(float("nan") if value is None else float(value))
    return Outcome(values, facts=facts)


@contextmanager
def log_to(folder: Path) -> Iterator[None]:
    """What is printed in this block goes to `log.txt`, as far as the disk takes it: nothing ends for its log."""
    folder.mkdir(parents=True, exist_ok=True)
    log = Log(open(folder / "log.txt", "ab", buffering=0), encoding="utf-8", write_through=True)  # noqa: SIM115
    with redirect_stdout(log), redirect_stderr(log):
        try:
            yield
        finally:
            log.close()


class Log(io.TextIOWrapper):
    """Text of which the disk may refuse what it will."""

    def write(self, text: str) -> int:
        with suppress(OSError):
            super().write(text)
        return len(text)


def has_entry(study: Study, path: str) -> bool:
    """Whether the base config has an entry to switch off."""
    return any(key.startswith(f"{path}.") for key in study.base)


def in_words(error: Exception) -> str:
    text = str(error).strip().splitlines()
    said = text[0] if text else ""
    return said if isinstance(error, FulmenError) and said else f"{type(error).__name__}: {said}"
