"""What is asked for as the command that the queue starts, in the folder of the job."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from fulmen.config.mistakes import as_text, key_of
from fulmen.errors import FulmenError
from fulmen.launch.record import Job, Kind

KINDS: tuple[Kind, ...] = get_args(Kind)
PLACES = ("output_dir", "hydra.run.dir", "hydra.sweep.dir", "search.folder")  # the queue chooses the folder
OPTIONS: dict[str, dict[str, type]] = {
    "rank": {"metric": str, "folds": int, "seeds": int, "save_top": int},
    "compare": {"runs": list},
    "keep": {"ranking": str, "row": int, "name": str, "note": str, "registry": str, "exist": str},
}


def check(kind: str, experiment: str, overrides: Sequence[str], options: Mapping[str, Any]) -> None:
    """Pass if this can be made a command of; whether the config is right, the config room judges.

    Raises:
        FulmenError: it cannot, and why.
    """
    if kind not in KINDS:
        raise FulmenError(f"kind: there is {', '.join(KINDS)}; got {kind}")
    resumes = kind == "train" and resumed_folder(overrides) is not None
    if not experiment and kind != "compare" and not resumes:
        raise FulmenError("experiment: none chosen")
    for word in [*overrides, *([experiment] if kind in ("rank", "compare") else [])]:
        if word.startswith("-"):
            raise FulmenError(f"overrides: {word} is an option and no override; an override reads key=value")
    for override in overrides:
        if key_of(override) in PLACES:
            raise FulmenError(f"overrides: {override}: a job has a folder of its own; leave it out")
        if key_of(override) == "resume" and kind != "train":
            raise FulmenError(f"overrides: {override}: only a training goes on with a run")
    if kind == "rank":
        refuse_options_of_rank(overrides)
    known = OPTIONS.get(kind, {})
    for name, value in options.items():
        if name not in known:
            raise FulmenError(f"options.{name}: {kind} takes {', '.join(known) or 'none'}")
        if not isinstance(value, known[name]) or isinstance(value, bool):
            raise FulmenError(f"options.{name}: it must be {_words(known[name])}, got {value!r}")
    if kind == "compare":
        _check_runs(options.get("runs", []))
    for name in ("ranking", "row", "name") if kind == "keep" else ():
        if name not in options:
            raise FulmenError(f"options.{name}: which row of which ranking is to be kept, and by what name?")


def refuse_options_of_rank(overrides: Sequence[str]) -> None:
    """Pass unless folds or seeds are said as an override, which a ranking would not heed.

    Raises:
        FulmenError: they are.
    """
    for override in overrides:
        key, _, value = override.partition("=")
        if key.lstrip("+") in ("folds", "seeds"):
            raise FulmenError(f"{override}: a ranking takes {key} as an option, --{key}={value} on the command line")


def command(job: Job, outputs: Path) -> tuple[str, ...]:
    """What follows `python -m fulmen`: as typed, with the folder of the job."""
    folder = outputs / job.folder
    words = job.words
    if job.kind == "train":
        if job.resume and is_resumable(folder):
            return ("train", f"resume={as_text(str(folder))}", *_said_again(folder, job.overrides))
        own = [] if resumed_folder(job.overrides) else [f"output_dir={as_text(str(folder))}"]
    elif job.kind == "multirun":
        own = [f"hydra.callbacks.ranking.folder={as_text(str(folder))}"]
        own += [] if outputs == Path("outputs") else [f"hydra.sweep.dir={as_text(str(outputs / 'runs'))}"]
    elif job.kind == "sweep":
        words = [word for word in words if key_of(word) != "search.name"]
        own = [f"search.name={as_text(folder.name)}"]
        own += [] if outputs == Path("outputs") else [f"search.folder={as_text(str(folder.parent))}"]
    elif job.kind == "keep":
        own = [*([] if "exist" in job.options else ["--exist=error"]), f"output_dir={as_text(str(folder))}"]
    else:
        own = ["--out", str(folder)] + ([] if outputs == Path("outputs") else ["--outputs", str(outputs)])
    return (*words, *own)


def with_places(kind: str, options: Mapping[str, Any], outputs: Path) -> dict[str, Any]:
    """The options with the runs to compare as the command finds them, where they were named below `outputs`."""
    if kind != "compare":
        return dict(options)
    return {**options, "runs": [_place(run, outputs) for run in options["runs"]]}


def _place(run: str, outputs: Path) -> str:
    return next((str(path) for path in places_of(run, outputs) if path.is_dir()), run)


def places_of(run: str, outputs: Path) -> tuple[Path, ...]:
    """Where a run may lie that is named by its path, or by that below `outputs` or its runs."""
    return Path(run), outputs / run, outputs / "runs" / run


def folder_for(
    kind: Kind, experiment: str, overrides: Sequence[str], outputs: Path, free: Callable[[str], bool]
) -> str:
    """Where a new job goes, below `outputs`; the folder of the run it goes on with, if it goes on with one.

    Args:
        free: whether a folder below `outputs` is.

    Raises:
        FulmenError: the run to go on with lies elsewhere, or the name that was chosen is taken.
    """
    stamp, what = datetime.now(), experiment if experiment.replace("_", "").isalnum() else "several"
    if kind == "train" and (resumed := resumed_folder(overrides)) is not None:
        with suppress(ValueError):
            return resumed.resolve().relative_to(outputs.resolve()).as_posix()
        raise FulmenError(f"resume: {resumed} does not lie in {outputs}")
    name = next((o.partition("=")[2].strip("'\"") for o in reversed(overrides) if key_of(o) == "search.name"), "")
    if kind == "sweep" and name:
        if "/" in name or not free(f"sweeps/{name}"):
            raise FulmenError(f"search.name: {name} is taken; resume goes on with it, another name begins another one")
        return f"sweeps/{name}"
    names = {
        "train": f"runs/{what}/{stamp:%Y-%m-%d_%H-%M-%S-%f}", "keep": f"runs/{what}/{stamp:%Y-%m-%d_%H-%M-%S-%f}",
        "multirun": f"sweeps/{what}_{stamp:%Y-%m-%d_%H-%M-%S}",
        "sweep": f"sweeps/{what}_{stamp:%Y-%m-%d_%H-%M-%S}", "rank": f"rankings/{what}_{stamp:%Y-%m-%d_%H-%M-%S}",
        "compare": f"comparisons/{stamp:%Y-%m-%d_%H-%M-%S}",
    }  # fmt: skip
    wanted, number = names[kind], 1
    while not free(wanted if number == 1 else f"{wanted}_{number}"):
        number += 1
    return wanted if number == 1 else f"{wanted}_{number}"


def resumed_folder(overrides: Sequence[str]) -> Path | None:
    """The run folder of `resume=<folder>`; None if there is none."""
    values = [override.partition("=")[2].strip().strip("'\"") for override in overrides if key_of(override) == "resume"]
    return Path(values[-1]) if values and values[-1] not in ("", "null") else None


def is_resumable(folder: Path) -> bool:
    """Whether a training in `folder` has saved something to go on with."""
    saved = (folder / "checkpoints" / "last.ckpt").is_file() or any(folder.glob("seed_*"))
    return saved and (folder / "config.yaml").is_file()


def _said_again(folder: Path, overrides: Sequence[str]) -> list[str]:
    """What the run's config names outside its folder, databases and addresses, nobody but who asked may name again."""
    from fulmen.config.outside import said_of

    with suppress(FulmenError):  # nothing stored yet, or damaged: the work says so
        return said_of(folder, overrides)
    return []


def _check_runs(runs: Sequence[Any]) -> None:
    if len(runs) < 2 or not all(isinstance(run, str) and run.strip() and not run.startswith("-") for run in runs):
        raise FulmenError("options.runs: a comparison takes two run folders or experiments, or more")


def _words(kind: type) -> str:
    return {str: "a text", int: "a whole number", list: "a list"}[kind]
