"""Which column of a file is meant: exactly, but for case and signs, or to be asked about."""

import unicodedata
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache

from fulmen.config.mistakes import nearest
from fulmen.errors import FulmenError
from fulmen.io.hints import override
from fulmen.io.taken import Guess, listed

CLOSE = 0.84  # of two names: how alike they have to be to be asked about


@lru_cache(4096)  # names of columns are asked for again and again
def plain(name: str) -> str:
    """Letters and digits alone, of one case: `Adj_Close`, `adj close` and `AdjClose` are `adjclose`."""
    return "".join(c for c in unicodedata.normalize("NFKC", name).casefold() if c.isalnum())


def matched(
    wanted: Sequence[str],
    there: Sequence[str],
    columns: Mapping[str, str | None] | None = None,
    synonyms: Mapping[str, Sequence[str]] | None = None,
    optional: Sequence[str] = (),
    key: str = "data",
    source: str = "the file",
) -> tuple[dict[str, str], list[Guess]]:
    """Wanted name -> name in the file, for all that are there.

    Said by `columns`, equal, or equal but for case and signs is taken; a synonym or a misspelling is asked about, of
    an optional column too.

    Args:
        wanted: names, those of `optional` among them.
        there: names in the file.
        columns: wanted name -> name in the file, as a person said it, but for case and signs; None: there is none.
        synonyms: wanted name -> what others call it.
        optional: those that may be absent.
        source: the file, for messages.

    Raises:
        FulmenError: a name is asked about, is not there, or stands for two columns.
    """
    said = _said(wanted, there, columns or {}, optional, key, source)
    found: dict[str, str] = {name: column for name, column in said.items() if column is not None}
    guesses = []
    for name in wanted:
        if name in said:
            continue
        if name in there and name not in said.values():
            found[name] = name
            continue
        alike = [each for each in there if plain(each) == plain(name) and each not in said.values()]
        alike = [each for each in alike if each not in wanted]
        if len(alike) > 1:
            raise FulmenError(
                f"{source}: {listed(alike)} could each be {name}; say which: "
                f"{override(f'{key}.columns', {**(columns or {}), name: alike[0]})}"
            )
        if alike:
            found[name] = alike[0]
            guesses.append(Guess(f"{alike[0]} is {name}", override(f"{key}.columns", {name: alike[0]})))
    for name, column in said.items():
        if column in wanted and column in there and column not in found and column not in optional:
            raise FulmenError(
                f"{source}: {column} would stand for two, for itself and for {name} by {key}.columns; {name} is "
                f"another column, or say by {key}.columns which one is {column}"
            )
    for name in found.values():
        if list(there).count(name) > 1:
            raise FulmenError(f"{source}: two columns are called {name}; give each a name of its own")
    _ask(
        [name for name in wanted if said.get(name, "") is not None],
        found,
        there,
        columns or {},
        synonyms or {},
        optional,
        key,
        source,
    )
    return found, guesses


def _said(
    wanted: Sequence[str],
    there: Sequence[str],
    columns: Mapping[str, str | None],
    optional: Sequence[str],
    key: str,
    source: str,
) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for role, column in columns.items():
        name = next((each for each in wanted if each == role), None)
        name = name or next((each for each in wanted if plain(each) == plain(str(role))), None)
        if name is None:
            meant_for = next((each for each in wanted if column and plain(each) == plain(column)), None)
            if str(role) in there and meant_for:
                turned = {meant_for: role} | {name: each for name, each in columns.items() if name != role}
                raise FulmenError(f"columns: the other way round: {override(f'{key}.columns', turned)}")
            likely_one = nearest(str(role), wanted)
            there_is = f"did you mean {likely_one}?" if likely_one else f"there is {listed(wanted, 20)}"
            raise FulmenError(f"columns: nothing is called {role} here; {there_is}")
        if column is None:
            if name not in optional:
                raise FulmenError(f"columns: {name} is needed and cannot be null; there is {listed(there, 20)}")
            found[name] = None
            continue
        meant = [each for each in there if each == column] or [each for each in there if plain(each) == plain(column)]
        if len(meant) != 1:
            near = get_close_matches(column, there, 1, CLOSE)
            raise FulmenError(
                f"{source}: no column {column}, which {key}.columns names for {name}; "
                + (f"did you mean {near[0]}?" if near else f"there is {listed(there, 20)}")
            )
        found[name] = meant[0]
    return found


def _ask(
    wanted: Sequence[str],
    found: Mapping[str, str],
    there: Sequence[str],
    columns: Mapping[str, str | None],
    synonyms: Mapping[str, Sequence[str]],
    optional: Sequence[str],
    key: str,
    source: str,
) -> None:
    """Pass if nothing is missing and nothing that was left looks like what is missing."""
    free = [each for each in there if each not in found.values()]
    asked: dict[str, str] = {}
    missing = [name for name in wanted if name not in found]
    for name in missing:
        near = likely(name, [each for each in free if each not in asked.values()], synonyms.get(name, ()))
        if near:
            asked[name] = near
    lost = [name for name in missing if name not in optional]
    if lost and not set(lost) & set(asked):
        raise FulmenError(f"{source}: no column {listed(lost)}; there is {listed(there, 20)}")
    if asked:
        pairs = listed([f"{column} as {name}" for name, column in asked.items()])
        unsure = [name for name in lost if name not in asked]
        also = f" (and there is no {listed(unsure)})" if unsure else ""
        need = f"no column {listed([name for name in lost if name in asked])}{also}; " if lost else ""
        raise FulmenError(
            f"{source}: {need}is it {pairs}? Then {override(f'{key}.columns', {**columns, **asked})}"
            + ("" if lost else f"; if not, {override(f'{key}.columns', {**columns, next(iter(asked)): None})}")
        )


def likely(name: str, there: Sequence[str], synonyms: Sequence[str] = ()) -> str | None:
    """The column that probably is `name`: a synonym of it, or a misspelling."""
    known = {plain(each) for each in (name, *synonyms)}
    for column in there:
        if plain(column) in known:
            return column
    by_plain = {plain(column): column for column in there if len(plain(column)) > 3}
    near = get_close_matches(plain(name), list(by_plain), 1, CLOSE)
    return by_plain[near[0]] if near else None
