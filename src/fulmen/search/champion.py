"""The best trial, trained again and tested at last, beside what costs nothing."""

import traceback
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial

from fulmen.config.mistakes import as_text
from fulmen.config.stored import refuse_unless_resumable
from fulmen.errors import FulmenError, Interrupted
from fulmen.report.document import Rows
from fulmen.runs.reading import read_result
from fulmen.runs.run import run
from fulmen.search.comparing import compared, conclusion, deciding, seeds_won
from fulmen.search.isolated import run_apart
from fulmen.search.logs import in_words, log_to
from fulmen.search.study import Study
from fulmen.search.trial_config import TrialConfig, of_champion
from fulmen.utils.files import obstruction

OVER = ("completed", "stopped")  # of runs that are not trained again


@dataclass(frozen=True)
class Champion:
    """What the best trial is worth on the test split.

    Attributes:
        trial: the trial it repeats.
        folders: of its runs, one a seed.
        metric: that decides, as the baselines name it; None where there are no baselines.
        rows: metric by run and baseline, for a table.
        conclusion: one honest sentence.
        won: in how many of its seeds it beats the best baseline; None where they cannot be compared.
        failed: seed -> why its training came to no result.
    """

    trial: FrozenTrial
    folders: list[Path]
    metric: str | None
    rows: Rows
    conclusion: str
    won: int | None = None
    failed: dict[int, str] = field(default_factory=dict)


def crown(study: Study) -> Champion | None:
    """Train the best trial on new seeds, test it, compare; runs that are there already are not repeated.

    None if no seed is asked for or no trial is complete.

    Raises:
        Interrupted: it was asked to stop; called again, it goes on with the run that was interrupted.
        Obstructed: the machine stood in the way.
    """
    winner = next(iter(study.ranked()), None)
    if winner is None or study.search.champion_seeds == 0:
        return None
    first = int(study.design.config["seed"])
    folders: list[Path] = []
    results: list[dict[str, Any]] = []
    failed: dict[int, str] = {}
    for seed in range(first, first + study.search.champion_seeds):
        folder = study.folder / "champion" / f"trial_{winner.number:04d}_seed_{seed}"
        if why := train(study, winner, seed, folder):
            failed[seed] = why
            continue
        folders.append(folder)
        results.append(read_result(folder))
    if not results:
        said = f"The champion could not be trained again: {'; '.join(dict.fromkeys(failed.values()))}."
        return Champion(winner, [], None, [], said, failed=failed)
    metric, mode = deciding(results, study.design.config, study.search.compare, study.search.compare_mode)
    said = conclusion(results, metric, mode)
    if failed:
        said += f" {len(failed)} of {len(failed) + len(results)} seeds came to no result."
    won = seeds_won(results, metric, mode)
    return Champion(winner, folders, metric, compared(results, metric), said, won, failed)


def train(study: Study, winner: FrozenTrial, seed: int, folder: Path) -> str:
    """Train the champion with one seed, or go on with it; why that came to nothing, "" if it is trained and tested."""
    known: dict[str, Any] = {}
    with suppress(FulmenError):  # damaged
        known = read_result(folder)
    if known.get("status") in OVER:
        return ""
    if known.get("status") == "diverged":
        return str(known["message"])
    told = of_champion(study, winner, seed)
    goes_on = resumable(folder)
    print(f"champion: trial {winner.number} with seed {seed}{', going on' if goes_on else ''}", flush=True)
    with log_to(folder):
        try:
            (_train_apart if study.search.isolate else _train_here)(told, folder, goes_on)
        except Interrupted:
            raise
        except Exception as error:
            if refusal := obstruction(error):
                raise refusal from error
            traceback.print_exc()
            return f"{in_words(error)} (see {folder / 'log.txt'})"
    return ""


def resumable(folder: Path) -> bool:
    """Whether a training in `folder` was interrupted, or killed, after it had saved itself."""
    with suppress(FulmenError):
        refuse_unless_resumable(folder)
        return True
    return False


def _train_here(told: TrialConfig, folder: Path, goes_on: bool) -> None:
    cfg, typed = told.check(folder), told.overrides()
    if goes_on:  # with the config as typed: the stored one of a module of one's own would not be trusted
        cfg.resume, typed = str(folder), [f"resume={folder}"]
    run(cfg, typed)


def _train_apart(told: TrialConfig, folder: Path, goes_on: bool) -> None:
    where = as_text(str(folder.resolve()))
    run_apart(folder, [f"resume={where}"] if goes_on else [*told.overrides(), f"hydra.run.dir={where}"])
