"""What can be asked and done without loading a model; none of it imports torch, but for `verify`."""

from pathlib import Path
from typing import Any, TypedDict

from fulmen.errors import FulmenError, Newer
from fulmen.registry.aliases import Event, Expected, Ledger
from fulmen.registry.manifest import Manifest, Scores
from fulmen.registry.names import parse
from fulmen.registry.store import Store
from fulmen.registry.verification import check_sizes
from fulmen.registry.versions import Version, input_schema

Where = str | Path | None


class Listed(TypedDict):
    """A version in a list, what baselines have of the same metric beside it.

    `state` says what is wrong with it, "" if nothing is; `note` then says that in a word.
    """

    model: str
    workload: str | None
    metric: str | None
    value: float | None
    baselines: Scores
    created: str | None
    aliases: str | None
    note: str
    state: str


Checked = TypedDict("Checked", {"model": str, "of the tolerance": float | None, "is": str, "state": str})


class Shown(Manifest):
    """A manifest, with the aliases of the version, their history, and its folder."""

    aliases: list[str]
    history: list[Event]
    folder: str


def list_models(name: str | None = None, registry: Where = None) -> list[Listed]:
    """One row per version, by name and number; `state` says what is wrong with it, "" if nothing is.

    Files are not read again here, only their sizes compared: `verify` reads them.
    """
    store = Store(registry)
    ledgers: dict[str, Ledger] = {}
    rows: list[Listed] = []
    for version in store.versions(name):
        try:
            if version.name not in ledgers:
                ledgers[version.name] = store.aliases(version.name)
            check_sizes(version.folder, version.manifest)
            rows.append(_listed(version, ledgers[version.name].of(version.number)))
        except FulmenError as error:
            if version.folder.exists():  # else it was deleted while we looked
                rows.append(_unreadable(version, error))
    return rows


def _listed(version: Version, aliases: list[str]) -> Listed:
    facts = version.manifest
    main = facts.get("main_metric")
    return {
        "model": str(version),
        "workload": facts.get("workload"),
        "metric": main.get("name") if main else None,
        "value": main.get("value") if main else None,
        "baselines": main.get("baselines") or {} if main else {},
        "created": facts["created"],
        "aliases": ", ".join(aliases),
        "note": facts.get("note") or "",
        "state": "",
    }


def _unreadable(version: Version, error: FulmenError) -> Listed:
    return {
        "model": str(version),
        "workload": None,
        "metric": None,
        "value": None,
        "baselines": {},
        "created": None,
        "aliases": None,
        "note": _in_a_word(error),
        "state": str(error),
    }


def _in_a_word(error: FulmenError) -> str:
    return "newer" if isinstance(error, Newer) else "damaged"


def show(reference: str | Version, registry: Where = None) -> Shown:
    """The manifest of a version, with its aliases, their history and its folder."""
    store = Store(registry)
    version = store.find(reference)
    ledger = store.aliases(version.name)
    history = [event for event in ledger.history if version.number in (event.get("version"), event.get("before"))]
    return {
        **version.manifest,
        "aliases": ledger.of(version.number),
        "history": history,
        "folder": str(version.folder),
    }


def promote(
    reference: str | Version, alias: str, expected: Expected = ..., note: str = "", registry: Where = None
) -> Ledger:
    """Let `alias` point to a version, which is verified first.

    Args:
        expected: the version it has to point to now (None: to no version), or else nothing is changed.

    Raises:
        FulmenError: no such version, one that is damaged, or an alias that somebody else has moved (`Moved`).
    """
    store = Store(registry)
    return store.promote(store.find(reference), alias, expected, note)


def delete(reference: str | Version, force: bool = False, registry: Where = None) -> Version:
    """Take one version away, named by its number or alias; the number is never given again.

    Raises:
        FulmenError: no such version, no number said where there are several, or an alias points to it and `force` is
            not given.
    """
    store = Store(registry)
    version = store.find(reference)
    if name := _name_alone(reference):
        raise FulmenError(f"delete which version of {name}? {', '.join(map(str, store.versions(name)))}")
    store.delete(version, force)
    return version


def _name_alone(reference: str | Version) -> str | None:
    """The name of a model if it is given without a number or alias."""
    parsed = parse(reference) if isinstance(reference, str) else None
    return parsed.name if parsed and parsed.number is None and parsed.alias is None else None


def gc(registry: Where = None) -> list[Path]:
    """Take away what died processes left half-written; returns what is gone. Saves that go on are left alone."""
    return Store(registry).gc()


def verify(reference: str | Version | None = None, registry: Where = None) -> list[Checked]:
    """Every file against its checksum, and the kept examples predicted again: one row per version, `state` "" if whole.

    In a word a version "is" whole, damaged, or newer than what this fulmen reads.

    Args:
        reference: one version, a name for all of its versions, or None for all there are.

    Raises:
        NotFound: there is nothing of that name.
    """
    store = Store(registry)
    if reference is None:
        versions = store.versions()
    else:
        name = _name_alone(reference)
        versions = store.versions(name) if name else [store.find(reference)]
    names = store.names() if reference is None else sorted({version.name for version in versions})
    return [*map(_checked, versions), *(row for name in names for row in _lost_aliases(store, name))]


def _checked(version: Version) -> Checked:
    from fulmen.registry.using import verify_version

    try:
        return {"model": str(version), "of the tolerance": verify_version(version), "is": "whole", "state": ""}
    except FulmenError as error:
        return {"model": str(version), "of the tolerance": None, "is": _in_a_word(error), "state": str(error)}


def _lost_aliases(store: Store, name: str) -> list[Checked]:
    """A row for a model whose aliases are damaged, or point to versions that are not there."""
    try:
        known = store.numbers(name)
        lost = {alias: number for alias, number in store.aliases(name).aliases.items() if number not in known}
        problem = ", ".join(f"alias {a} points to version {n}, which is not there" for a, n in lost.items())
    except FulmenError as error:
        problem = str(error)
    return [{"model": name, "of the tolerance": None, "is": "damaged", "state": problem}] if problem else []


def explain(reference: str | Version, registry: Where = None) -> dict[str, Any]:
    """The input schema of a version: how a file for `predict` has to look.

    Raises:
        FulmenError: no such version, or its workload has no input format.
    """
    return input_schema(Store(registry).find(reference))
