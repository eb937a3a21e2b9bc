"""Words that a shell has taken apart: `data.labels=[No, Yes]` and `data.csv=my prices.csv` without quotes."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby, takewhile
from pathlib import Path

from fulmen.config.mistakes import Mend, Mistake, as_text, key_of, nearest, reads_as_text
from fulmen.config.overrides import LIKE_A_PATH
from fulmen.config.schema import TrainConfig, groups
from fulmen.config.unquoted import closes, is_open, meant, readable, requoted

SETTING = re.compile(r"[-~]|\+*[A-Za-z_][\w./@]*=")
PAIR = re.compile(r"[A-Za-z_]\w*:\S*")


def torn(overrides: Sequence[str]) -> list[Mistake]:
    """Every value that stands in several words, with quotes around the whole as a cure."""
    return [*_at_blanks(list(overrides)), *_by_braces(list(overrides))]


def _at_blanks(words: list[str]) -> Iterator[Mistake]:
    place = 0
    while place < len(words):
        end = _end(words, place)
        if end > place + 1:
            key, _, begun = words[place].partition("=")
            value = " ".join([begun, *words[place + 1 : end]])
            value = value.strip()
            whole = f"{key}={value}" if readable(f"{key}={value}") else requoted(key, value)
            if whole:
                problem = "the shell takes it apart at its blanks; put quotes around it"
                yield Mistake(key_of(key), problem, _together(words[place:end], whole))
        place = end


def _end(words: Sequence[str], place: int) -> int:
    """Where the words end that belong to the one at `place`, itself among them."""
    key, equals, value = words[place].partition("=")
    if not equals or not re.fullmatch(r"[+\w.]+", key) or key.lstrip("+") in groups():
        return place + 1
    if is_open(value):
        for end in range(place + 2, len(words) + 1):
            if closes(" ".join([value, *words[place + 1 : end]])):
                return end
        return place + 1
    end = place + 1
    if not value:
        return end + (end < len(words) and not SETTING.match(words[end]))
    while end < len(words) and _goes_on(key.lstrip("+"), " ".join([value, *words[place + 1 : end]]), words[end:]):
        end += 1
    return end


def _goes_on(key: str, begun: str, following: Sequence[str]) -> bool:
    """Whether the first of the words that follow is the rest of a name, and no setting of its own."""
    word = following[0]
    if SETTING.match(word) or not reads_as_text(begun):
        return False
    rest = list(takewhile(lambda each: not SETTING.match(each), following))
    if any(Path(" ".join([begun, *rest[: n + 1]])).exists() for n in range(len(rest))):
        return True
    if begun.count("(") > begun.count(")") or begun.count("[") > begun.count("]"):
        return True
    if any(map(LIKE_A_PATH.search, rest)):
        return not Path(begun).exists()
    known = [*groups(), *TrainConfig.__dataclass_fields__]
    return key.startswith("data.") and not re.match(r"\w+\.\w", word) and nearest(word, known) is None


def _by_braces(words: Sequence[str]) -> Iterator[Mistake]:
    """`data.columns={close:Price,date:Day}` without quotes, which bash makes two words of."""
    for key, group in groupby(words, lambda word: word.partition("=")[0]):
        typed = list(group)
        values = [word.partition("=")[2] for word in typed]
        if len(values) > 1 and all(map(PAIR.fullmatch, values)):
            whole = f"{key}={as_text(meant('{' + ','.join(values) + '}'))}"
            problem = "the shell takes the braces apart; put quotes around it"
            yield Mistake(key_of(key), problem, _together(typed, whole))


def _together(parts: Sequence[str], whole: str) -> Mend:
    """`whole` in the place of its parts."""

    def mend(overrides: list[str]) -> list[str]:
        kept, put = [], False
        left = list(parts)
        for override in overrides:
            if override in left:
                left.remove(override)
                kept += [] if put else [whole]
                put = True
            else:
                kept.append(override)
        return kept

    return mend
