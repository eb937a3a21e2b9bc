"""What is the same though it looks different, or looks the same though it is not: rows, names, marks of missing."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

SENTINELS = (
    -99.0, -200.0, -999.0, -9999.0, -99999.0, -999999.0, 999.0, 9999.0, 99999.0, 999999.0, -999.9, -9999.9, 999.9,
    9999.9, -999.25, 1e20, -1e20, 1e30, -1e30, 9.969209968386869e36, -32768.0, 1e10,
)  # fmt: skip
DISTINCT = 5  # values beside it that a column needs: two-valued and constant columns have no marks
_ODD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class SameRows:
    """Which rows of a table are equal in every column.

    Attributes:
        row: number of the class of each row, in order of appearance, int64 [N]; equal rows have one class.
        distinct: how many classes there are.
    """

    row: np.ndarray
    distinct: int

    @property
    def repeated(self) -> int:
        """How many rows stand above already."""
        return len(self.row) - self.distinct


@dataclass(frozen=True)
class LookAlike:
    """Names that a person would take for one.

    Attributes:
        names: as they stand, the most frequent first.
        rows: how many rows have each.
        differ: in what alone: `case`, `white space`, `how a number is written`, `signs that look alike`.
    """

    names: tuple[str, ...]
    rows: tuple[int, ...]
    differ: str

    def __str__(self) -> str:
        pairs = zip(self.names, self.rows, strict=True)
        return f"{' and '.join(f'{name!r} ({rows:,} rows)' for name, rows in pairs)} differ in {self.differ} alone"


def same_rows(columns: Mapping[str, np.ndarray | pd.Series] | pd.DataFrame) -> SameRows:
    """Find rows that are equal in every column, NaN equal to NaN, -0 to 0; by a 64-bit hash.

    Args:
        columns: numbers or texts, [N] each.
    """
    total: np.ndarray | None = None
    for name in columns:  # of a DataFrame too
        values = columns[name]
        code = value_hashes(values)
        total = code if total is None else mixed(total + _ODD) ^ code
    if total is None:
        return SameRows(np.empty(0, dtype=np.int64), 0)
    row, kinds = pd.factorize(total)
    return SameRows(row.astype(np.int64), len(kinds))


def value_hashes(values: np.ndarray | pd.Series) -> np.ndarray:
    """A whole number for each value, equal for equal ones alone, uint64 [N]."""
    array = np.asarray(values)
    if array.dtype.kind == "f":
        array = array.astype(np.float64)
        array = np.where(np.isnan(array), np.nan, array + 0.0)  # one NaN, one zero
        return mixed(array.view(np.uint64))
    if array.dtype.kind in "iub":
        return mixed(array.astype(np.int64).view(np.uint64))
    return pd.util.hash_array(array.astype(object), categorize=True)


def mixed(code: np.ndarray) -> np.ndarray:
    """The finalizer of SplitMix64 (Steele, Lea, Flood 2014): one bit of the input moves half of those that come out."""
    code = code ^ (code >> np.uint64(30))
    code = code * np.uint64(0xBF58476D1CE4E5B9)
    code = code ^ (code >> np.uint64(27))
    code = code * np.uint64(0x94D049BB133111EB)
    return code ^ (code >> np.uint64(31))


def look_alikes(texts: Iterable[str]) -> list[LookAlike]:
    """Names that differ only in case, white space, a zero behind the point, or signs that look alike.

    Args:
        texts: one name per row.
    """
    counts = pd.Series(list(texts), dtype=object).value_counts(sort=True)
    groups: dict[str, list[str]] = {}
    for name in counts.index:
        groups.setdefault(_bare(name), []).append(name)
    return [
        LookAlike(tuple(names), tuple(int(counts[name]) for name in names), _difference(names))
        for names in groups.values()
        if len(names) > 1
    ]


def empty_names(texts: Iterable[str]) -> np.ndarray:
    """Positions of names in which nothing can be seen, int64."""
    names = list(texts)
    empty = {name for name in set(names) if not _visible(str(name)).strip()}
    return np.array([position for position, name in enumerate(names) if name in empty], dtype=np.int64)


def _visible(name: str) -> str:
    """Without signs of no width."""
    return "".join(
        sign for sign in unicodedata.normalize("NFKC", name) if unicodedata.category(sign) not in ("Cf", "Cc")
    )


def _whole(name: str) -> str:
    """`3` of `3.0` and `03`."""
    whole, point, rest = name.partition(".")
    sign, digits = (whole[:1], whole[1:]) if whole[:1] in ("-", "+") else ("", whole)
    if digits.isdecimal() and not rest.strip("0") and (rest or not point):
        return f"{sign.replace('+', '')}{int(digits)}"
    return name


def _bare(name: str) -> str:
    text = _visible(str(name).replace("\t", " ")).casefold()
    parts = text.split()
    joined = parts[:1]
    for part in parts[1:]:  # `pump 1` is `pump1`, but `1 11` is not `11 1`
        both = joined[-1][-1].isdigit() and part[0].isdigit()
        joined.append(f" {part}" if both else part)
    return _whole("".join(joined))


def _difference(names: list[str]) -> str:
    """The first of a few ways to change names that makes them one."""
    ways: dict[str, Callable[[str], str]] = {
        "case": str.casefold,
        "white space": _without_blanks,
        "how a number is written": _whole,
        "signs that look alike": lambda name: _visible(name).strip(),
        "case and white space": lambda name: _without_blanks(name.casefold()),
    }
    return next((word for word, way in ways.items() if len(set(map(way, names))) == 1), "how they are written")


def _without_blanks(name: str) -> str:
    return "".join(name.split(" "))


def sentinel(values: np.ndarray) -> float | None:
    """A number such as -999 that stands repeatedly, far from all others, and so probably marks a missing value.

    Far is farther from the nearest other value than that is from the median (half of it for a mark below 0), and than
    three times its way to the outermost twentieth; a mark below 0 where nothing else is needs neither. A value at the
    end of a smooth range is none, and neither is one of a column of few values.

    Args:
        values: float64 [N], NaN where one is missing.
    """
    known = values[np.isfinite(values)]
    needed = 2 if len(known) < 100 else 3
    counts = {mark: count for mark in SENTINELS if (count := int((known == mark).sum())) >= needed}
    for mark in sorted(counts, key=lambda mark: -counts[mark]):
        rest = known[~np.isin(known, list(counts))]
        if len(np.unique(rest[:10_000])) >= DISTINCT and _is_far(mark, rest):
            return mark
    return None


def _is_far(mark: float, rest: np.ndarray) -> bool:
    low, high = rest.min(), rest.max()
    if low <= mark <= high:
        return False
    if mark < 0 <= low:
        return True
    end, share = (low, 0.05) if mark < low else (high, 0.95)
    gap = abs(mark - end)
    from_median = gap > (0.5 if mark < 0 else 1) * abs(end - np.median(rest))
    from_tail = gap > 3 * abs(end - np.quantile(rest, share))
    return bool(from_median and from_tail)
