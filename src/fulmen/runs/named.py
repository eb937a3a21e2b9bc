"""Where a run lies that is named by its folder, by what `fulmen runs` calls it, or by the index of `fulmen.runs()`."""

from pathlib import Path

from fulmen.launch.commands import places_of

TELLING = ("config.yaml", "result.json", "checkpoints/last.ckpt", "checkpoints/best.ckpt")


def is_run(folder: Path) -> bool:
    """Whether a folder holds a file by which a run is known, though others may be lost."""
    return any((folder / name).is_file() for name in TELLING)


def run_named(named: str | Path, outputs: str | Path = "outputs") -> Path:
    """The folder of a run, as named where there is none: `sensors/<stamp>`, `runs/sensors/<stamp>` or its whole path.

    Args:
        outputs: the folder that holds runs/.
    """
    return next((place for place in places_of(str(named), Path(outputs)) if is_run(place)), Path(named))
