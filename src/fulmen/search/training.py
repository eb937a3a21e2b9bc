"""One trial trained: in this process, or as a `python train.py` of its own."""

import time
import traceback
from collections.abc import Mapping

import optuna

from fulmen.config.mistakes import as_text
from fulmen.errors import FulmenError, Interrupted, Obstructed
from fulmen.runs.result import Result
from fulmen.runs.run import run
from fulmen.search.isolated import Killed, run_apart
from fulmen.search.logs import in_words, log_to
from fulmen.search.memory import Memory
from fulmen.search.outcome import Outcome, outcome_of
from fulmen.search.pruning import Pruning
from fulmen.search.study import Study
from fulmen.search.trial_config import of_trial
from fulmen.utils.files import obstruction

_memory = Memory()


def train_here(study: Study, trial: optuna.Trial) -> Outcome:
    """Train in this process; what it prints goes into the trial's `log.txt`."""
    folder, monitor = study.trial_folder(trial.number), study.base["monitor"]
    told = of_trial(study, trial)
    typed = [*told.overrides(), f"output_dir={as_text(str(folder))}"]
    pruning = Pruning(str(study.folder), trial.number, monitor, study.reporter(trial))
    began = time.monotonic()
    with log_to(folder):
        try:
            result = run(told.check(folder), typed, {"pruning": pruning})
            return outcome_of(result, study.objectives, monitor)
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
    typed = [*of_trial(study, trial).overrides(), f"hydra.run.dir={as_text(str(folder))}"]
    began = time.monotonic()
    try:
        run_apart(folder, typed, environment, lambda child: trial.set_user_attr("child", child))
    except Killed:  # for want of memory perhaps: worth another try
        return Outcome()
    except (Interrupted, Obstructed):
        raise
    except FulmenError as error:
        return Outcome(error=str(error), facts={"seconds": round(time.monotonic() - began, 3)})
    return outcome_of(Result.read(folder), study.objectives, study.base["monitor"])
