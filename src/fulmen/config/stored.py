"""The config that a run folder holds, as it is read back."""

import json
from collections.abc import Iterable
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, cast

import yaml
from omegaconf import DictConfig, OmegaConf

from fulmen.config.mistakes import ConfigError, key_of, nearest
from fulmen.config.places import use_own_project
from fulmen.config.schema import find_interpolations
from fulmen.errors import FulmenError
from fulmen.migrations import migrate, stamped
from fulmen.utils.event_files import event_files, event_folder

LOOKS = ("leaks",)  # keys of what is looked for in the data, which changes nothing of a training
DISPLAY = ("progress", "summary")  # callbacks that a person reads and nothing else


class NoConfig(FulmenError):
    """A run folder whose config.yaml is gone or damaged."""


def read_stored(folder: Path) -> dict[str, Any]:
    """The config in a run folder, not checked yet; its paths follow the folder to where it now lies.

    Raises:
        NoConfig: there is none, or it cannot be read.
        FulmenError: no such folder, or a config that is not fully resolved, or that a later release has written.
    """
    path = folder / "config.yaml"
    if not folder.is_dir():
        raise FulmenError(f"there is no run folder {folder}")
    if not path.is_file():
        raise NoConfig(f"{folder} holds no config.yaml, as a run folder does")
    try:
        plain = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise NoConfig(f"cannot read {path}: {error}") from error
    if not isinstance(plain, dict):
        raise NoConfig(f"{path} holds no config")
    if found := find_interpolations(plain):
        raise ConfigError(found)
    here: dict[str, Any] = moved(led_on(plain, path), str(plain.get("output_dir")), str(folder))
    return here | {"output_dir": str(folder)}


def led_on(plain: dict[str, Any], where: object) -> dict[str, Any]:
    """`migrate`, which reads what the classes of the project at hand are made from."""
    use_own_project()
    return migrate(plain, where)


def as_stored(cfg: DictConfig) -> str:
    """The YAML of a resolved config, for a file that `read_stored` reads back."""
    return OmegaConf.to_yaml(OmegaConf.create(stamped(cast(dict[str, Any], OmegaConf.to_container(cfg)))))


def without_display(plain: dict[str, Any]) -> dict[str, Any]:
    """A config without what only looks at a training: with another scan or other bars it is the same training."""
    callbacks = {name: node for name, node in (plain.get("callbacks") or {}).items() if name not in DISPLAY}
    return {name: value for name, value in plain.items() if name not in LOOKS} | {"callbacks": callbacks}


def moved(value: Any, before: str, now: str) -> Any:
    """`value` with every text, keys of dicts included, that is `before` or a path below it led to `now`."""
    if isinstance(value, dict):
        return {moved(key, before, now): moved(item, before, now) for key, item in value.items()}
    if isinstance(value, list):
        return [moved(item, before, now) for item in value]
    inside = isinstance(value, str) and (value == before or value.startswith(f"{before}/"))
    return now + value[len(before) :] if inside else value


def resume_folder(overrides: Iterable[str]) -> Path | None:
    """The folder in `resume=<folder>`, or None."""
    values = [override.partition("=")[2].strip().strip("'\"") for override in overrides if key_of(override) == "resume"]
    return Path(values[-1]) if values and values[-1] not in ("", "null") else None


def refuse_unless_resumable(folder: Path) -> None:
    """Pass if `folder` holds a run that can go on.

    Raises:
        FulmenError: it does not; the message names run folders that do, the nearest name first, then the latest.
    """
    missing = [name for name in ("config.yaml", "checkpoints/last.ckpt") if not (folder / name).is_file()]
    repeated = any(folder.glob("seed_*"))  # a run of runs has no checkpoints of its own
    if not missing or (repeated and missing == ["checkpoints/last.ckpt"]):
        return
    runs = [path.parents[1].as_posix() for path in Path("outputs/runs").glob("*/*/checkpoints/last.ckpt")]
    latest = sorted(runs, key=lambda run: Path(run).name, reverse=True)[:3]
    near = dict.fromkeys(filter(None, [nearest(str(folder), runs), *latest]))
    problem = f"has no {missing[0]}" if folder.is_dir() else "is no folder"
    hint = "".join(["\n  runs that can go on:", *(f"\n    resume={run}" for run in near)]) if near else ""
    raise FulmenError(f"resume: {folder} {problem}{hint}")


def refuse_if_used(folder: Path) -> None:
    """Pass if a new run may begin in `folder`.

    Raises:
        FulmenError: it holds a run, which a second one would mix with.
    """
    status, trained = _how_it_stands(folder)
    resumable = any(folder.glob("checkpoints/last.ckpt")) or any(folder.glob("seed_*/**/last.ckpt"))
    if resumable or status == "completed" or (trained and (folder / "checkpoints" / "best.ckpt").exists()):
        free = next(path for n in count(2) if not (path := folder.with_name(f"{folder.name}_{n}")).exists())
        on = f"; resume={folder} goes on with it" if resumable else ""
        raise FulmenError(
            f"output_dir: {folder} holds a run already{f' ({status})' if status else ''}{on}; for a new one "
            f"choose another folder, such as output_dir={free}"
        )


def clear_failed_start(folder: Path) -> None:
    """What a start that came to no checkpoint left in `folder` goes."""
    if (folder / "config.yaml").is_file():
        events = event_folder(folder)
        for path in [*event_files(folder), *folder.glob("checkpoints/best*.ckpt"), *folder.glob("report.*")]:
            path.unlink()
        if events and events != folder:
            events.rmdir()


def _how_it_stands(folder: Path) -> tuple[str, bool]:
    """Status and whether training has ended, of the run in `folder`; as far as its result.json can be read."""
    with suppress(OSError, ValueError, AttributeError, KeyError, TypeError, yaml.YAMLError):
        result = json.loads((folder / "result.json").read_text())
        config = yaml.safe_load((folder / "config.yaml").read_text())
        tried = bool(config["trainer"].get("fast_dev_run"))
        status = str(result.get("status", "")).replace("running", "killed")  # its owner lives no more
        return ("", False) if tried else (status, bool(result.get("trained")))
    return "", False
