"""Between the shell and `hydra.main`: help, mistakes found before work starts, messages and exit codes."""

import json
import os
import shlex
import sys
import traceback
import warnings
from argparse import Namespace
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from fulmen.config.check import check_overrides, finalize
from fulmen.config.completion import answer as completion
from fulmen.config.cures import refuse_without_import
from fulmen.config.help import experiments_text, help_text, search_help_text
from fulmen.config.intervals import refuse_intervals
from fulmen.config.mistakes import ConfigError, as_text, command, key_of
from fulmen.config.multirun import hand_over
from fulmen.config.options import parse, refuse_missing
from fulmen.config.overrides import explicit, in_multirun, listed, run_failed, typed_overrides
from fulmen.config.places import SWEEP, TRAIN, first_experiment
from fulmen.config.side_effects import naming_experiment
from fulmen.config.stored import refuse_if_used, resume_folder
from fulmen.config.words import in_full
from fulmen.distributed import torchrun
from fulmen.errors import IN_A_TRIAL, OBSTRUCTED, FulmenError, Interrupted, Obstructed
from fulmen.runs.multirun import check_runs, runs_of
from fulmen.runs.ownership import refuse_if_owned
from fulmen.signals import (
    answering,
    interruptible,
    is_relaunched,
    listener,
    number_of,
    output_closed,
    tell_interruption,
)
from fulmen.utils.files import obstruction
from fulmen.utils.kept_process import kept_process
from fulmen.utils.threads import quiet_waiting

if TYPE_CHECKING:
    from fulmen.runs.run_folder import Run
    from fulmen.search.settings import Plan


def train(*overrides: str | Iterable[str]) -> "Run":
    """What `python train.py <overrides>` does, as a function: `train("experiment=pbpk_mlp", "trainer.max_epochs=3")`.

    Returns:
        The run: `.result`, `.folder`, `.metrics`, `.model`, `.data`.

    Raises:
        Interrupted: the kernel was interrupted; the message holds the call that goes on.
        FulmenError: no experiment, a mistake in an override, or whatever ends the training.
    """
    with kept_process(), interruptible(lambda: "interrupted before anything was begun"), as_calls():
        typed = started_from(listed(overrides, "train"))
        refuse_no_experiment(typed)
        refuse_taken_folder(typed)
        cfg = check_overrides(typed)
        from fulmen.runs.run import run
        from fulmen.runs.run_folder import Run

        return Run(run(cfg, typed).folder, typed)


@contextmanager
def as_calls() -> Iterator[None]:
    """Whoever has called a function is told by which call an interrupted training goes on, not by which command."""
    try:
        yield
    except Interrupted as error:
        said, begins, words = str(error).partition(f"{TRAIN} ")
        if begins:
            call = ", ".join(map(json.dumps, shlex.split(words)))
            error.args = (f"{said}fulmen.train({call})",)
        raise


def train_program() -> None:
    """`fulmen train <overrides>`: what `python train.py <overrides>` does, `sys.argv` as that has it."""
    from fulmen.config.program import composing

    @composing
    @messages()
    def composed(cfg: DictConfig) -> None:
        from fulmen.runs.run import run  # imports torch: only once the config is known to be good

        run(finalize(cfg), typed_overrides())

    with messages():
        composed(before_work(sys.argv))


def search_program() -> None:
    """`fulmen sweep <overrides>`: what `python sweep.py <overrides>` does."""
    with messages():
        asked = before_search(sys.argv[1:])
        from fulmen.search.controller import run_searches  # imports torch: only once the config is known to be good

        run_searches(asked)


def before_work(argv: list[str]) -> DictConfig | None:
    """Answer `--help`, or check all that `argv` asks for before a folder is made or a module imported in vain.

    `argv` is changed in place: Hydra then takes any argument of a target without `+`, and options in any place.

    Returns:
        The config to go on with for `resume=<folder>`; None where Hydra composes it.

    Raises:
        FulmenError: no experiment, or any mistake in any of the runs.
        SystemExit: with 0 after `--help`.
    """
    quiet_waiting()
    asked = parse(argv[1:], TRAIN, refuse_wrong)
    if asked.help:
        print(help_for(asked.overrides))
        sys.exit(0)
    if asked.shell_completion:
        print(completion(asked.overrides))
        sys.exit(0)
    typed, as_typed = started_from(asked.overrides), asked.overrides
    argv[1:] = [*(argument for argument in argv[1:] if argument not in as_typed), *for_hydra(typed, asked)]
    refuse_missing(asked)
    if asked.hydra_help or asked.cfg or asked.info or asked.experimental_rerun:
        return None
    resuming = resume_folder(typed) is not None
    if resuming and asked.multirun:
        raise FulmenError("resume=<folder> goes on with one run: leave out -m")
    if asked.config_dir:
        typed.insert(0, f"hydra.searchpath={as_text([f'file://{Path(asked.config_dir).resolve()}'])}")
    if torchrun.starts_this():
        with torchrun.said_once():
            if asked.multirun:
                raise FulmenError("-m starts the processes of each run by itself: start it without torchrun")
            cfg = check_overrides(typed)
            if cfg.get("folds") or cfg.get("seeds", 1) > 1:
                raise FulmenError(
                    "folds and seeds start the processes of each run by themselves: start it without torchrun\n"
                    f"  this works: {command(typed)}"
                )
            torchrun.refuse_unless_together(cfg.trainer, typed)
            argv += [] if resuming else torchrun.one_folder(typed)
            return cfg if resuming else None
    if not resuming and (is_relaunched() or asked.config_name or asked.config_path):
        return None  # checked by the process that launched this one, or composed from configs that only Hydra knows
    refuse_no_experiment(typed)
    if asked.multirun:
        refuse_intervals(typed, check_overrides)
        hand_over(check_runs(runs_of(typed), typed))
        return None
    refuse_taken_folder(typed)
    cfg = check_overrides(typed)
    return cfg if resuming else None


def help_for(typed: list[str]) -> str:
    """Of the experiment that is chosen, all that can be changed; without one, what there is to choose from.

    Raises:
        FulmenError: what was typed beside `--help` is wrong.
    """
    if not any(key_of(override) == "experiment" and "=" in override for override in typed):
        return help_text()
    from fulmen.config.experiment_help import experiment_help

    return experiment_help(typed)


def started_from(typed: list[str]) -> list[str]:
    """What was typed, with `weights=` led to the run folder or file that a new run starts from."""
    if resume_folder(typed) is not None or not any(key_of(override) == "weights" for override in typed):
        return list(typed)
    from fulmen.registry.start_from import resolved

    return resolved(typed)


def refuse_no_experiment(typed: list[str]) -> None:
    """Pass if it was said what to train.

    Raises:
        FulmenError: it was not; the message lists what there is.
    """
    chosen = any(key_of(o) == "experiment" and o.partition("=")[2] not in ("", "null") for o in typed)
    if not chosen and resume_folder(typed) is None:
        if meant := naming_experiment(typed):
            named = next(word for word in meant if key_of(word) == "experiment")
            raise FulmenError(f"no experiment chosen; did you mean {named}?\n  this works: {command(meant)}")
        works = f"{TRAIN} experiment={first_experiment()}"
        raise FulmenError(f"no experiment chosen\n{experiments_text()}\n  this works: {works}")


def refuse_wrong(typed: list[str]) -> None:
    """Pass if nothing is wrong with a new training; modules are imported only if nothing else can tell.

    Raises:
        FulmenError: no experiment, or a mistake; the message holds a command that works.
    """
    refuse_no_experiment(typed)
    if resume_folder(typed) is None and refuse_without_import(started_from(typed)):
        check_overrides(started_from(typed))


def for_hydra(typed: list[str], asked: Namespace) -> list[str]:
    """What was typed as Hydra reads it; a mistake in it is told where the runs are checked."""
    read = list(typed)
    with suppress(ConfigError):
        if not (asked.config_name or asked.config_path):
            read = in_full(typed, sweep=bool(asked.multirun))
    return list(map(explicit, read))


def refuse_taken_folder(typed: list[str]) -> None:
    """Pass if the run folder that was typed is free for this run, as far as can be told before work.

    Raises:
        FulmenError: somebody is at work there, or a new run would mix with the one it holds.
    """
    resuming = resume_folder(typed)
    named = [o.partition("=")[2].strip("'\"") for o in typed if key_of(o) in ("output_dir", "hydra.run.dir")]
    folder = resuming or (Path(named[-1]) if named else None)
    if folder is not None:
        refuse_if_owned(folder)
        if resuming is None:
            refuse_if_used(folder)


def before_search(argv: list[str]) -> list["Plan"]:
    """Answer `--help`, or check all that `python sweep.py <argv>` asks for.

    Returns:
        The studies to run.

    Raises:
        FulmenError: no experiment, or any mistake in the search or its base config.
        SystemExit: with 0 after `--help`.
    """
    quiet_waiting()
    from fulmen.search.plans import plans

    asked = parse(argv, SWEEP, plans)
    if asked.help:
        print(search_help_text())
        sys.exit(0)
    if asked.shell_completion:
        print(completion(asked.overrides))
        sys.exit(0)
    if asked.multirun:
        raise FulmenError(f"-m belongs to {TRAIN}; a search goes through its own trials: leave it out")
    if torchrun.starts_this():
        with torchrun.said_once():
            raise FulmenError(f"a search starts its processes by itself\n  this works: {command(argv, SWEEP)}")
    return plans(started_from(asked.overrides))


@contextmanager
def messages() -> Iterator[None]:
    """Turn what the user can mend into `error: ...` and an exit code; a defect keeps its traceback.

    One failing run of a multirun says so at once, the others go on, and the multirun ends with exit code 1.
    Use it as a decorator inside `hydra.main`, which would print a traceback, and around everything.
    """
    shown_by_python, warnings.showwarning = warnings.showwarning, _show_warning
    try:
        yield
    except BrokenPipeError:  # `| head` has seen enough
        sys.exit(output_closed())
    except KeyboardInterrupt as error:
        heard = listener()
        tell_interruption(heard.last_words() if heard else "interrupted")
        sys.exit(128 + number_of(error))
    except Exception as error:
        said = error if isinstance(error, FulmenError) else obstruction(error)
        if said is not None:
            with suppress(OSError):  # a full disk may hold the log
                if not said.told:
                    print(f"error: {said}", file=sys.stderr, flush=True)
            if in_multirun() and not isinstance(said, Interrupted):
                raise run_failed("this run failed; its message stands above") from error
            sys.exit(OBSTRUCTED if IN_A_TRIAL in os.environ and isinstance(said, Obstructed) else said.exit_code)
        if in_multirun():
            traceback.print_exc()
            raise run_failed("this run failed; its traceback stands above") from error
        raise
    finally:
        warnings.showwarning = shown_by_python


def _show_warning(message: Warning | str, category: type[Warning], *where: Any, **_: Any) -> None:
    """What is meant for the user without the place in the code that says it."""
    print(f"{'warning' if issubclass(category, UserWarning) else category.__name__}: {message}", file=sys.stderr)


def follow() -> None:
    """Be one more process of the run that stdin describes."""
    from fulmen.runs.run import run

    task = json.load(sys.stdin)
    sys.path[:] = task["path"]
    with messages():
        run(OmegaConf.create(task["cfg"]), task["overrides"])


def lead() -> None:
    """Be the first process of the run that stdin describes, in a process group of its own."""
    with answering("interrupted before anything was begun; start it again"):
        from fulmen.runs.process_group import handing_back
        from fulmen.runs.run import run

        task = json.load(sys.stdin)
        sys.path[:] = task["path"]
        with messages(), handing_back(task):
            run(OmegaConf.create(task["cfg"]), task["overrides"])
