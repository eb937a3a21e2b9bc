"""What to type next: commands that work as they stand."""

from collections.abc import Sequence
from pathlib import Path

from fulmen.config.mistakes import command, for_shell, key_of
from fulmen.config.own_project import shown

OF_ONE_FOLDER = ("output_dir", "resume", "hydra.run.dir", "hydra.sweep.dir", "hydra.sweep.subdir")
REPEATS = ("folds", "seeds")


def first_start(typed: Sequence[str]) -> list[str]:
    """What was typed when a run was begun, of all that `overrides.txt` holds: every resume begins with its folder."""
    found = []
    for override in typed:
        if key_of(override) == "resume":
            break
        found.append(override)
    return found


def resumes(typed: Sequence[str]) -> list[list[str]]:
    """What was typed at each resume."""
    found: list[list[str]] = []
    for override in typed:
        if key_of(override) == "resume":
            found.append([])
        if found:
            found[-1].append(override)
    return found


def train_again(experiment: str, typed: Sequence[str], *changes: str) -> str:
    """The command that trains what `typed` has trained, in a folder of its own, with `changes`, and tests it."""
    away = {*OF_ONE_FOLDER, "test", *map(key_of, changes)}
    kept = [override for override in first_start(typed) if key_of(override) not in away]
    if not any(key_of(override) == "experiment" for override in kept):
        kept.insert(0, f"experiment={experiment}")
    return command([*kept, *changes])


def keep(folder: Path, name: str, *more: str) -> str:
    """The command that keeps the model in a folder."""
    return fulmen("models", "save", shown(folder), *more, "--name", name)


def diagnose(folder: Path) -> str:
    """The command that says what is wrong with a training."""
    return fulmen("diagnose", shown(folder))


def rank_again(experiment: str, typed: Sequence[str], folds: int, seeds: int = 1) -> str:
    """The command that ranks what `typed` has trained beside all baselines, on the same folds, with p-values."""
    away = (*OF_ONE_FOLDER, *REPEATS, "experiment")
    kept = [override for override in first_start(typed) if key_of(override) not in away]
    more = ["--seeds", str(seeds)] if seeds > 1 else []
    return fulmen("rank", experiment, *kept, "--folds", str(folds), *more)


def fulmen(*words: str) -> str:
    """A verb with its words, quoted for a shell."""
    return " ".join(["fulmen", *map(for_shell, words)])
