"""Where the events of a run lie, which TensorBoard reads: it names a run by the folder that holds them."""

from pathlib import Path

PATTERN = "events.out.tfevents.*"
SETTINGS = "events.out.tfevents.0000000000.settings"  # what HPARAMS shows of the run; sorts before all others


def event_folder(folder: Path) -> Path | None:
    """The folder below `folder` that holds nothing but events, or `folder` itself for a run of earlier releases.

    None where there are no events yet.
    """
    if any(folder.glob(PATTERN)):
        return folder
    return next((parent for file in sorted(folder.glob(f"*/{PATTERN}")) if is_of_events(parent := file.parent)), None)


def event_files(folder: Path) -> list[Path]:
    """All files of events of the run in `folder`, the settings among them, in the order they are read in."""
    found = event_folder(folder)
    return sorted(found.glob(PATTERN)) if found else []


def is_of_events(folder: Path) -> bool:
    """Whether a folder holds events and nothing else."""
    names = [path.name.lstrip(".") for path in folder.iterdir()] if folder.is_dir() else []
    return bool(names) and all(name.startswith(PATTERN[:-1]) for name in names)
