"""From the cells of a column to numbers of labels or levels, and which label is the event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fulmen.errors import FulmenError
from fulmen.io.hints import override
from fulmen.io.missing import COMMON, Cells, as_series, marks_of
from fulmen.io.taken import Guess, listed
from fulmen.io.where import Where

MOST = 10  # distinct values of a column that may be labels
TRUTH = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
YES_NO = [["1", "0"], ["1.0", "0.0"], ["true", "false"], ["t", "f"], ["yes", "no"], ["y", "n"], ["on", "off"]]
EVENT = "of two labels the last is the event"


@dataclass(frozen=True)
class Distinct:
    """The distinct cells of a column as texts, in the order in which they first come.

    Attributes:
        text: [D]
        number: of the text of each row in it [N].
    """

    text: list[str]
    number: np.ndarray

    @classmethod
    def of(cls, values: Cells) -> "Distinct":
        """Blanks around a text do not count; a cell without a value is ""."""
        codes, distinct = pd.factorize(as_series(values), use_na_sentinel=False)
        text = ["" if pd.isna(value) else str(value).strip() for value in distinct]
        places = {each: i for i, each in enumerate(dict.fromkeys(text))}
        if len(places) == len(text):
            return cls(text, codes)
        return cls(list(places), np.array([places[each] for each in text])[codes])

    def first(self, text: str) -> int:
        """The first row with this text."""
        return int((self.number == self.text.index(text)).argmax())

    def by_share(self) -> list[tuple[str, float]]:
        """Each text that marks no missing value with its share of the rows, the rarest last, or yes after no."""
        count = np.bincount(self.number, minlength=len(self.text)) / max(1, len(self.number))
        known = [(text, float(share)) for text, share in zip(self.text, count, strict=True) if _may_be_label(text)]
        known.sort(key=lambda each: -each[1])
        if [text.casefold() for text, _ in known] in YES_NO:
            known.reverse()
        return known

    def numbered(self, of: Mapping[str, int]) -> np.ndarray:
        """What `of` says of each row, -1 where it says nothing: [N]."""
        return np.array([of.get(text, -1) for text in self.text], dtype=np.int64)[self.number]


def texts(values: Cells, name: str, where: Where) -> np.ndarray:
    """The texts [N] of a column in which none may be missing.

    Raises:
        FulmenError: one is.
    """
    column = Distinct.of(values)
    _refuse_empty(column, name, where, "every row needs one")
    return np.array(column.text, dtype=str)[column.number] if column.text else np.empty(0, dtype=str)


def levels(
    values: Cells, name: str, known: Sequence[str], where: Where, missing: bool, hint: str = "", key: str = "data"
) -> tuple[np.ndarray, list[Guess]]:
    """The numbers [N] of a column's levels, -1 where one is missing, and what was read as a level it is not quite.

    Args:
        missing: whether one may be.
        hint: what to do where it may not.

    Raises:
        FulmenError: a cell is none of the levels, or missing.
    """
    numbers = {str(level): i for i, level in enumerate(known)}
    if isinstance(values, list) and all(type(value) is str and value in numbers for value in values):
        return np.array([numbers[value] for value in values], dtype=np.int64), []
    column = Distinct.of(values)
    meant, guesses = _meant(column.text, known, name)
    unknown = [text for text in column.text if text not in meant and not _empty(text)]
    if unknown:
        every = [text for text, _ in column.by_share()]
        if len(every) > 3 * MOST and _all_numbers(every):
            cure = f"it holds numbers; read it as one of {key}.numeric"
        else:
            cure = override(f"{key}.categorical", {name: sorted([*map(str, known), *unknown[: 4 * MOST]])})
        raise FulmenError(
            f"{where(column.first(unknown[0]), name)}: {unknown[0]!r} is none of its levels, "
            f"{', '.join(map(str, known))}; the column has {listed(sorted(every), MOST)}: {cure}"
        )
    number = column.numbered(meant)
    if not missing and (number < 0).any():
        raise FulmenError(f"{where(int((number < 0).argmax()), name)}: the value is missing; {hint}")
    return number, guesses


def labels(
    values: Cells, name: str, known: Sequence, where: Where, key: str = "data"
) -> tuple[np.ndarray, list[Guess]]:
    """The numbers [N] of a column's labels, and what was read as a label it is not quite.

    A label is meant by a text that is equal to it, or the same number (`1.0` for 1), or the same truth (`TRUE` for
    true), or differs in case or blanks alone from it and from no other.

    Raises:
        FulmenError: a cell is empty or none of the labels; the message has all that are there, the rarest last.
    """
    column = Distinct.of(values)
    meant, guesses = _meant(column.text, known, name, several_words=True)
    unknown = [text for text in column.text if text not in meant and _may_be_label(text)]
    if unknown:
        raise FulmenError(
            f"{where(column.first(unknown[0]), name)}: {unknown[0]!r} is none of the labels "
            f"{', '.join(map(str, known))}; {_instead(column, name, key)}"
        )
    gone = [text for text in column.text if text not in meant]
    if gone:
        raise FulmenError(f"{where(column.first(gone[0]), name)}: empty; every row needs a label")
    return column.numbered(meant), guesses


def event(number: np.ndarray, known: Sequence, target: str, key: str = "data") -> tuple[str, str, str]:
    """The role, what plays it, and a doubt or "": which label is the event, and its share of the rows.

    Args:
        number: of the label of each row [N].
    """
    shares = np.bincount(number, minlength=len(known)) / len(number)
    if len(known) > 2:
        return "labels", ", ".join(f"{k} {s:.1%}" for k, s in zip(known, shares, strict=True)) + f" of {target}", ""
    said = f"{target} = {known[1]}, {shares[1] * 100:.3g} % of the rows"
    if shares[1] <= 0.5:
        return "event", said, ""
    turned = override(f"{key}.labels", [known[1], known[0]])
    doubt = f"the event is {known[1]}, {shares[1] * 100:.3g} % of the rows; {EVENT}: {turned} makes it {known[0]}"
    return "event", said, doubt


def _instead(column: Distinct, name: str, key: str) -> str:
    """What the column has, and how it would be named."""
    shares, alike = spelled_once(column)
    there = [text for text, _ in shares]
    if len(there) > MOST:
        return (
            f"the column has {len(there):,} different values, {listed(there, 3)}; name the column of the labels: "
            f"{key}.target=<column>"
        )
    if len(there) == 1:
        return f"the column has {there[0]} alone, and a classifier needs two labels"
    has = ", ".join(f"{text} ({share:.1%})" for text, share in shares)
    has += f", with {listed(alike, 3)} as one, in case or blanks alone apart" if alike else ""
    last = ", and the last is the event" if len(there) == 2 else ""
    return f"the column has {has}: {override(f'{key}.labels', there)}{last}"


def spelled_once(column: Distinct) -> tuple[list[tuple[str, float]], list[str]]:
    """The labels and their shares as `by_share`, each as it is written most, and those that have several spellings."""
    shares = dict(column.by_share())
    spellings: dict[str, list[str]] = {}
    for text in shares:
        spellings.setdefault(_as_words(text), []).append(text)
    kinds = [(max(texts, key=shares.__getitem__), sum(map(shares.__getitem__, texts))) for texts in spellings.values()]
    kinds.sort(key=lambda each: -each[1])
    if [text.casefold() for text, _ in kinds] in YES_NO:
        kinds.reverse()
    return kinds, [" and ".join(texts) for texts in spellings.values() if len(texts) > 1]


def _meant(
    there: Sequence[str], known: Sequence, name: str, several_words: bool = False
) -> tuple[dict[str, int], list[Guess]]:
    """Text in the column -> number of the label or level that it stands for.

    Args:
        several_words: whether several texts that differ in case and blanks alone may stand for one.
    """
    meant = {text: i for i, each in enumerate(known) for text in there if text == str(each)}
    guesses = []
    for same in (_as_number, _as_truth, _as_words):
        wanted = {same(str(each)): i for i, each in enumerate(known)}
        found: dict[int, list[str]] = {}
        for text in there:
            if (
                len(wanted) == len(known)
                and text not in meant
                and (value := same(text)) is not None
                and value in wanted
            ):
                found.setdefault(wanted[value], []).append(text)
        for number, several in found.items():
            if same is _as_words and not several_words and (len(several) > 1 or number in meant.values()):
                continue  # names that differ in case alone may be two
            meant |= dict.fromkeys(several, number)
            if same is _as_words or (same is _as_truth and several[0].casefold() != str(known[number]).casefold()):
                guesses.append(Guess(f"{', '.join(several)} in {name} is {known[number]}"))
    return meant, guesses


def _as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _as_truth(text: str) -> bool | None:
    return TRUTH.get(text.casefold())


def _as_words(text: str) -> str:
    return " ".join(text.casefold().split())


def _all_numbers(there: Sequence[str]) -> bool:
    return all(_as_number(text) is not None for text in there)


def _empty(text: str) -> bool:
    return text.casefold() in COMMON or text.casefold() in marks_of(None)


def _may_be_label(text: str) -> bool:
    """`none` may be a kind of fault."""
    return text.casefold() == "none" or not _empty(text)


def _refuse_empty(column: Distinct, name: str, where: Where, need: str) -> None:
    gone = next((text for text in column.text if text == ""), None)
    if gone is not None:
        raise FulmenError(f"{where(column.first(gone), name)}: empty; {need}")
