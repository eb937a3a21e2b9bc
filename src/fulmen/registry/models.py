"""What can be asked and done without loading a model; none of it imports torch, but for `verify`."""

from pathlib import Path
from typing import Any

from fulmen.errors import FulmenError, Newer
from fulmen.registry.aliases import Ledger
from fulmen.registry.names import parse
from fulmen.registry.store import Store
from fulmen.registry.verification import check_sizes
from fulmen.registry.versions import Version, input_schema

Rows = list[dict[str, Any]]
Asked = str | Version
Where = str | Path | None


def list_models(name: str | None = None, registry: Where = None) -> Rows:
    """One row per version, by name and number; `state` says what is wrong with it, "" if nothing is.

    Files are not read again here, only their sizes compared: `verify` reads them.
    """
    store, rows, pointing = Store(registry), [], {}
    for version in store.versions(name):
        row: dict[str, Any] = {"model": str(version)}
        try:
            if version.name not in pointing:
                pointing[version.name] = store.aliases(version.name)
            facts = version.manifest
            check_sizes(version.folder, facts)
            main = facts.get("main_metric") or {}
            row |= {
                "workload": facts.get("workload"),
                "metric": main.get("name"),
                "value": main.get("value"),
                "created": facts["created"][:16].replace("T", " "),
                "aliases": ", ".join(pointing[version.name].of(version.number)),
                "note": facts.get("note") or "",
                "state": "",
            }
        except FulmenError as error:
            if not version.folder.exists():
                continue  # deleted while we looked
            row |= dict.fromkeys(("workload", "metric", "value", "created", "aliases", "note")) | {"state": str(error)}
            row["note"] = "newer" if isinstance(error, Newer) else "damaged"
        rows.append(row)
    return rows


def show(asked: Asked, registry: Where = None) -> dict[str, Any]:
    """The manifest of a version, with its aliases, their history and its folder."""
    store = Store(registry)
    version = store.find(asked)
    ledger = store.aliases(version.name)
    return version.manifest | {
        "aliases": ledger.of(version.number),
        "history": [entry for entry in ledger.history if version.number in (entry.get("version"), entry.get("before"))],
        "folder": str(version.folder),
    }


def promote(asked: Asked, alias: str, expected: Any = ..., note: str = "", registry: Where = None) -> Ledger:
    """Let `alias` point to a version, which is verified first.

    Args:
        expected: the version it has to point to now (None: to no version), or else nothing is changed.

    Raises:
        FulmenError: no such version, one that is damaged, or an alias that somebody else has moved (`Moved`).
    """
    store = Store(registry)
    return store.promote(store.find(asked), alias, expected, note)


def delete(asked: Asked, force: bool = False, registry: Where = None) -> Version:
    """Take one version away, named by its number or alias; the number is never given again.

    Raises:
        FulmenError: no such version, no number said where there are several, or an alias points to it and `force` is
            not given.
    """
    store = Store(registry)
    version = store.find(asked)
    if isinstance(asked, str) and (reference := parse(asked)).number is None and reference.alias is None:
        raise FulmenError(f"delete which version of {asked}? {', '.join(map(str, store.versions(asked)))}")
    store.delete(version, force)
    return version


def gc(registry: Where = None) -> list[Path]:
    """Take away what died processes left half-written; returns what is gone. Saves that go on are left alone."""
    return Store(registry).gc()


def verify(asked: Asked | None = None, registry: Where = None) -> Rows:
    """Every file against its checksum, and the kept examples predicted again: one row per version, `state` "" if whole.

    In a word a version "is" whole, damaged, or newer than what this fulmen reads.

    Args:
        asked: one version, a name for all of its versions, or None for all there are.

    Raises:
        NotFound: there is nothing of that name.
    """
    from fulmen.registry.using import verify_version

    store = Store(registry)
    if isinstance(asked, str) and (reference := parse(asked)).number is None and reference.alias is None:
        versions = store.versions(reference.name)
    else:
        versions = store.versions() if asked is None else [store.find(asked)]
    rows = []
    for version in versions:
        row = {"model": str(version), "of the tolerance": None, "is": "whole", "state": ""}
        try:
            row["of the tolerance"] = verify_version(version)
        except FulmenError as error:
            row |= {"is": "newer" if isinstance(error, Newer) else "damaged", "state": str(error)}
        rows.append(row)
    for name in store.names() if asked is None else {version.name for version in versions}:
        try:
            known = {version.number for version in store.versions(name)}
            lost = {a: n for a, n in store.aliases(name).aliases.items() if n not in known}
            problem = ", ".join(f"alias {a} points to version {n}, which is not there" for a, n in lost.items())
        except FulmenError as error:
            problem = str(error)
        if problem:
            rows.append({"model": name, "of the tolerance": None, "is": "damaged", "state": problem})
    return rows


def explain(asked: Asked, registry: Where = None) -> dict[str, Any]:
    """The input schema of a version: how a file for `predict` has to look.

    Raises:
        FulmenError: no such version, or its workload has no input format.
    """
    return input_schema(Store(registry).find(asked))
