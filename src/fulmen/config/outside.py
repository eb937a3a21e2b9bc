"""What a stored config names outside its run folder: nobody but the person at the keyboard may let it be used.

A run folder or a kept model may come from anywhere. Its config is data: it may open no database and no address, and
write nowhere but into its own folder, unless the person who goes on with it types the same `key=value` again. One
table says which arguments do such things; it is read before anything is imported.
"""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from fulmen.config.mistakes import ConfigError, Mistake, as_text, command, is_at, join, key_of, put
from fulmen.config.own_project import shown
from fulmen.config.stored import read_stored
from fulmen.errors import FulmenError

OPENS = {  # argument -> what it does, whatever its value
    "database": "opens a database",
    "query": "is run by a database",
    "download": "opens an address",
    "cifar10": "opens an address",
    "tracking_uri": "opens an address",
    "url": "opens an address",
    "uri": "opens an address",
    "host": "opens an address",
    "port": "opens an address",
}
WRITES = (  # arguments that name a file or folder to write to
    "cache", "default_root_dir", "dirpath", "filename", "folder", "log_dir", "nvme_path", "output_dir", "root_dir",
    "save_dir", "study",
)  # fmt: skip
NAMES_ONLY = ("filename",)  # below a folder that another argument names: a plain name leads nowhere else
READS = ("arrays", "csv", "npz", "weights")  # files from any place are read, as data
READS_AT = ("data.folder",)  # likewise, of an argument that writes elsewhere
LOGGERS = "lightning.pytorch.loggers"
LOCAL_LOGGERS = ("CSVLogger", "TensorBoardLogger", "logger", "csv_logs", "tensorboard")


def named_outside(plain: dict[str, Any], folder: Path | None, path: str = "") -> Iterator[tuple[str, Any, str]]:
    """Path, value and effect of everything in a stored config that reaches beyond `folder` (None: there is none).

    A list, nodes in it included, is one value: it can only be typed as a whole.
    """
    for key, value in plain.items():
        place = join(path, key)
        if isinstance(value, dict):
            yield from named_outside(value, folder, place)
        elif place not in ("output_dir", "resume", *READS_AT):
            effects = [found for name, one in _arguments(str(key), value) if (found := _effect(name, one, folder))]
            if effects:
                yield place, value, effects[0]


def _arguments(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every plain value in nested lists and dicts, with the name nearest to it."""
    if isinstance(value, list):
        for item in value:
            yield from _arguments(name, item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _arguments(str(key), item)
    else:
        yield name, value


def _effect(name: str, value: Any, folder: Path | None) -> str | None:
    """What using `value` as the argument `name` would do outside `folder`; None if nothing."""
    if name in OPENS and value not in (None, False):
        return OPENS[name]
    if not isinstance(value, str) or name in READS:
        return None
    if name == "_target_":
        foreign = value.startswith(f"{LOGGERS}.") and value.removeprefix(f"{LOGGERS}.").split(".")[0]
        return "sends what is logged to an address" if foreign and foreign not in LOCAL_LOGGERS else None
    if "://" in value:
        return "opens an address"
    leads = name in WRITES and name not in NAMES_ONLY
    leads = leads or Path(value).is_absolute() or value.startswith("~") or ".." in Path(value).parts
    return "is written to outside the run folder" if leads and not _inside(value, folder) else None


def _inside(value: str, folder: Path | None) -> bool:
    try:
        return folder is not None and Path(value).resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):
        return False


def named(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every node and leaf in nested dicts and lists with its dotted path."""
    if path:
        yield path, value
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from named(item, join(path, key))


def unsaid(plain: dict[str, Any], folder: Path | None, said: Collection[str] = ()) -> list[Mistake]:
    """What `plain` names outside `folder` and nobody has typed again.

    Args:
        said: paths that were typed with the values they have in `plain`; what lies below them is said too.
    """
    return [
        Mistake(path, f"names {as_text(value)}, which {effect}; type it again if that is meant", put(path, value))
        for path, value, effect in named_outside(plain, folder)
        if not any(path == key or path.startswith(f"{key}.") for key in said)
    ]


def refuse_unsaid(plain: dict[str, Any], folder: Path | None, said: Collection[str] = ()) -> None:
    """Pass if nothing outside `folder` is named that was not said again.

    Raises:
        ConfigError: all that is.
    """
    if found := unsaid(plain, folder, said):
        raise ConfigError(found)


def said_of(folder: Path, overrides: Iterable[str]) -> list[str]:
    """Those of `overrides` that say again what the config in `folder` names outside of it."""
    outside = [path for path, _, _ in named_outside(read_stored(folder), folder)]
    return [override for override in overrides if any(is_at(f"{path}=", key_of(override)) for path in outside)]


def resume_command(folder: Path) -> str:
    """The command that goes on with the run in `folder`, with what its config names outside of it said again."""
    try:
        again = [f"{path}={as_text(value)}" for path, value, _ in named_outside(read_stored(folder), folder)]
    except FulmenError:  # not written yet, or damaged
        again = []
    return command([f"resume={as_text(shown(folder))}", *again])
