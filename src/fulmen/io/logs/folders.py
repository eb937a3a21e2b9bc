"""Logs that are several files: TensorBoard's events, CatBoost's and MLflow's curves, folders of runs."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from fulmen.errors import FulmenError
from fulmen.io.logs.options import Ask, LogOptions, command
from fulmen.io.logs.table import LogTable, of_records
from fulmen.io.logs.words import EPOCHS, PARTS, STEPS, meaning, plain, words
from fulmen.io.taken import listed
from fulmen.utils.event_files import PATTERN

Reader = Callable[[Path], LogTable]
LEARN, TEST = "learn_error.tsv", "test_error.tsv"  # CatBoost's, in catboost_info
NAMED = ("trainer_state.json", "metrics.csv", "results.csv", "summary.csv", "history.csv", "history.json", "log.csv",
         "training.log", "training_log.csv", "catboost_training.json", "wandb-history.jsonl", "log.json")  # fmt: skip
READ = (".csv", ".tsv", ".json", ".jsonl", ".log", ".txt", ".xlsx", ".parquet", ".npz")
ONE_FILE = "to judge both, write them into one table, as columns train_loss and val_loss"
BESIDE = {*EPOCHS, *STEPS, "walltime", "time", "timestamp"}
SEVERAL = 200  # files of events, at most


def is_events(path: Path, head: bytes) -> bool:
    return "tfevents" in path.name or (head[4:8] == b"\0\0\0\0" and b"brain.Event:" in head[:64])


def table_of_folder(folder: Path, read: Reader, text: Reader) -> LogTable:
    """The log in a folder.

    Raises:
        FulmenError: it holds none, or several.
    """
    if (folder / LEARN).exists() or (folder / TEST).exists():
        return of_catboost(folder, text)
    if events := sorted(folder.rglob(PATTERN))[: SEVERAL + 1]:
        return table_of_events(events, folder)
    for place in (folder, folder / "metrics"):
        if curves := _metric_files(place):
            return of_mlflow(curves, str(folder))
    found = [folder / name for name in NAMED if (folder / name).is_file()]
    found = found or [path for path in sorted(folder.iterdir()) if path.suffix.lower() in READ and path.is_file()]
    if len(found) == 1 or (found and found[0].name in NAMED):
        table = read(found[0])
        table.taken.insert(0, f"{found[0].name} in the folder")
        return table
    inner = found or sorted({path.parent for name in NAMED for path in folder.glob(f"*/{name}")})
    inner = inner or [path.parent for deep in ("*", "*/*") for path in sorted(folder.glob(f"{deep}/metrics"))
                      if _metric_files(path)]  # fmt: skip
    if inner:
        what = f"{len(found)} files that may be logs" if found else "folders with logs"
        names = listed(path.name for path in inner)
        raise Ask(f"{folder} holds {what}, {names}; name one", [("", {"path": str(each)}) for each in inner[:1]])
    raise FulmenError(
        f"{folder} has no metrics.csv: no run folder, or a run that was stopped in its first epoch; nor another log"
    )


def named_as_its_file(path: Path, table: LogTable) -> LogTable:
    """One curve without a name: the file may be called after it, and the other may lie beside it."""
    value = next((name for name in table.columns if plain(name) == "value"), None)
    if value is None:
        return table
    others = [name for name in table.columns if name != value and table.filled(name).any()]
    if not all(plain(name) in BESIDE or name.startswith("column ") for name in others):
        return table
    told = meaning(path.stem if path.suffix else path.name)
    table.taken = [each for each in table.taken if not each.startswith("no names")]
    if told.part or told.quantities:
        name = path.stem if path.suffix else path.name
        table.columns = {name if each == value else each: cells for each, cells in table.columns.items()}
        table.taken.append(f"one curve, called {name} as the file is")
    else:
        table.taken.append("one curve without a name")
    beside = len(_metric_files(path.parent)) > 1
    table.lone = f"to judge both: {command(path.parent, LogOptions())}" if beside else ONE_FILE
    return table


def of_catboost(folder: Path, text: Reader) -> LogTable:
    """learn_error.tsv and test_error.tsv side by side."""
    records: dict[str, dict[str, Any]] = {}
    found = [name for name in (LEARN, TEST) if (folder / name).exists()]
    for name in found:
        table = text(folder / name)
        part, first = name.partition("_")[0], next(iter(table.columns))
        for row in range(len(table)):
            key = table.text(first, row)
            record = records.setdefault(key, {"iteration": key})
            record |= {f"{part} {metric}": table.columns[metric][row] for metric in table.columns if metric != first}
    return of_records(str(folder), list(records.values()), taken=[f"CatBoost's {' and '.join(found)}"])


def _metric_files(folder: Path) -> list[Path]:
    """MLflow's: no suffix, lines `time value step`."""
    if not folder.is_dir():
        return []
    found = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
    return [path for path in found[:SEVERAL] if _is_metric(path)]


def _is_metric(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            cells = file.readline(200).split()
        float(cells[1])
        return len(cells) == 3 and cells[0].isdigit() and len(cells[0]) >= 12 and cells[2].lstrip(b"-").isdigit()
    except (OSError, ValueError, IndexError):
        return False


def of_mlflow(curves: Sequence[Path], source: str) -> LogTable:
    """A record a step, of all metrics of a run."""
    records: dict[int, dict[str, Any]] = {}
    for path in curves:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            cells = line.split()
            if len(cells) != 3 or not cells[2].lstrip("-").isdigit():
                raise FulmenError(f"{path}, line {number}: no line of MLflow, `time value step`")
            step = int(cells[2])
            records.setdefault(step, {"step": step})[path.name] = cells[1]
    ordered = [records[step] for step in sorted(records)]
    return of_records(source, ordered, taken=[f"MLflow's curves {', '.join(path.name for path in curves[:8])}"])


def table_of_events(files: Sequence[Path], folder: Path) -> LogTable:
    """TensorBoard's scalars: a record a step; the folder of a file is part of its names.

    Raises:
        Ask: there are several runs.
        FulmenError: no scalar is in them.
    """
    if len(files) > SEVERAL:
        raise FulmenError(f"{folder} holds more than {SEVERAL} files of events; name the folder of one run")
    folders = list(dict.fromkeys(path.parent for path in files))
    scalars = {each: _scalars(each if len(files) > 1 or folder.is_dir() else files[0]) for each in folders}
    scalars = {each: tags for each, tags in scalars.items() if any(map(_of_interest, tags)) or len(scalars) == 1}
    if not scalars or not any(scalars.values()):
        raise FulmenError(f"{folder} holds events of TensorBoard without a scalar")
    runs: dict[Path, dict[str, Any]] = {}
    for each, tags in scalars.items():
        part = next((word for word in words(each.name) if word in PARTS), "") if each != folder else ""
        part = part if len(words(each.name)) == 1 or not any(meaning(tag).part for tag in tags) else ""
        run = each.parent if part else each
        runs.setdefault(run, {}).update({f"{part}/{tag}" if part else tag: points for tag, points in tags.items()})
    if len(runs) > 1:
        first = {"path": str(next(iter(runs)))}
        raise Ask(f"{folder} holds {len(runs)} runs, {listed(map(str, runs))}; name one", [("", first)])
    records: dict[int, dict[str, Any]] = {}
    for tag, points in next(iter(runs.values())).items():
        for step, value in points:
            records.setdefault(step, {"step": step})[tag] = value
    return of_records(str(folder), [records[step] for step in sorted(records)], taken=["events of TensorBoard"])


def _of_interest(tag: str) -> bool:
    told = meaning(tag)
    return bool(told.quantities) or bool(told.part)


def _scalars(place: Path) -> dict[str, list[tuple[int, float]]]:
    """tag -> (step, value), of one file or of all in a folder; later writers win, as TensorBoard shows it."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    events = EventAccumulator(str(place), size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    found: dict[str, list[tuple[int, float]]] = {
        tag: [(each.step, float(each.value)) for each in events.Scalars(tag)] for tag in events.Tags()["scalars"]
    }
    for tag in events.Tags()["tensors"]:
        points = [(each.step, make_ndarray(each.tensor_proto)) for each in events.Tensors(tag)]
        if points and all(value.size == 1 and value.dtype.kind in "fiu" for _, value in points):
            found[tag] = [(step, float(value)) for step, value in points]
    return found
