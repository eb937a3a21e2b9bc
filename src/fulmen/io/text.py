"""Text of any encoding: which one it is, and whether it is text at all."""

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from fulmen.errors import FulmenError
from fulmen.io.containers import DAMAGED, Container, container_of, unreadable
from fulmen.io.hints import override
from fulmen.io.taken import Guess

SAMPLE = 1 << 20  # bytes that are looked at first, and at a time
LONGEST_LINE = 1 << 20  # characters; a table with longer ones is none
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
CONTROLS = bytes([*range(9), 11, 12, *range(14, 26), *range(27, 32), 127])  # 26 ends files of DOS
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x19\x1b-\x1f\x7f]")
OTHER_SCRIPTS = (
    "cp1251",
    "koi8",
    "gb",
    "big5",
    "shift",
    "cp932",
    "euc",
    "cp949",
    "cp1253",
    "cp1255",
    "cp1256",
    "iso2022",
)


def read_text(path: str | Path, encoding: str = "auto", word: str = "log") -> tuple[str, list[Guess]]:
    """All of a text file, plain or packed, in any encoding.

    Raises:
        FulmenError: no such file, a folder, an empty or damaged file, or no text; one line with the place.
    """
    container = container_of(path, word)
    if container.kind != "text":
        raise FulmenError(f"{path} is {'a Parquet file' if container.kind == 'parquet' else 'an Excel workbook'}")
    encoding, guesses = encoding_of(container, encoding)
    try:
        with container.open() as file:
            return file.read().decode(encoding).removesuffix("\x1a"), [*container.guesses, *guesses]
    except UnicodeDecodeError as error:
        raise _not_of(path, encoding, error) from error
    except DAMAGED as error:
        raise unreadable(path, error) from error


def encoding_of(container: Container, said: str = "auto", key: str = "data") -> tuple[str, list[Guess]]:
    """The encoding of a whole text file, after a look at all of its bytes.

    Args:
        said: by a person; "auto": to be found out.

    Raises:
        FulmenError: control characters or too long a line, with the place, or bytes that are not of what was said.
    """
    path = container.path
    try:
        encoding, guesses = (said, []) if said != "auto" else _guessed(container, key)
        wide = "16" in encoding or "32" in encoding
        line, column, decoder = 1, 0, codecs.getincrementaldecoder(encoding)()
        for chunk in _chunks(container):
            text = decoder.decode(chunk)
            if wide or len(chunk.translate(None, CONTROLS)) < len(chunk):
                _refuse_control(path, text, line, column)
            line, column = _place(path, text, line, column)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise _not_of(path, encoding, error) from error
    except DAMAGED as error:
        raise unreadable(path, error) from error
    return encoding, guesses


def _guessed(container: Container, key: str) -> tuple[str, list[Guess]]:
    with container.open() as file:
        sample = file.read(SAMPLE)
    for mark, name in BOMS:
        if sample.startswith(mark):
            return name, [] if name == "utf-8-sig" else [Guess(f"{name.upper()} text")]
    even, odd = sample[:4096:2].count(0), sample[1:4096:2].count(0)
    if max(even, odd) > len(sample[:4096]) // 4:
        name = "utf-16-be" if even > odd else "utf-16-le"
        return name, [Guess(f"{name.upper()} text", override(f"{key}.encoding", name))]
    strange = _not_utf8(container)
    if strange is None:
        return "utf-8", []
    name = _legacy(strange)
    return name, [Guess(f"text in {name}", override(f"{key}.encoding", name))]


def _not_utf8(container: Container) -> bytes | None:
    """The first part of a file that is no UTF-8; None where all of it is."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for chunk in _chunks(container):
        try:
            if not chunk.isascii() or decoder.getstate()[0]:
                decoder.decode(chunk)
        except UnicodeDecodeError:
            return chunk
    return decoder.getstate()[0] or None


def _legacy(sample: bytes) -> str:
    """The encoding of bytes that are no UTF-8: Western European, unless it is plainly of another script."""
    from charset_normalizer import from_bytes

    lines = [line for line in sample.splitlines() if not line.isascii()][:200]
    best = from_bytes(b"\n".join(lines)).best()
    likely = [best.encoding] if best is not None and best.encoding.startswith(OTHER_SCRIPTS) else []
    likely += ["cp1251"] * bool(re.search(rb"[\xc0-\xff]{4}", sample))  # no word of Western Europe
    for name in [*likely, "cp1252"]:
        with suppress(UnicodeDecodeError):
            sample.decode(name)
            return name
    return "latin-1"


def _chunks(container: Container) -> Iterator[bytes]:
    with container.open() as file:
        while chunk := file.read(SAMPLE):
            yield chunk


def _refuse_control(path: Path, text: str, line: int, column: int) -> None:
    found = CONTROL.search(text)
    if found:
        before = text[: found.start()]
        at = line + before.count("\n")
        place = found.start() - before.rfind("\n") + (column if "\n" not in before else 0)
        raise FulmenError(
            f"{path}, line {at}, character {place}: a control character, {found[0]!r}; is the file a table in text?"
        )


def _place(path: Path, text: str, line: int, column: int) -> tuple[int, int]:
    """Line and column after `text`, of which no line may be too long."""
    breaks = text.count("\n") or text.count("\r")
    first = text.find("\n") if "\n" in text else text.find("\r")
    if column + (first if first >= 0 else len(text)) > LONGEST_LINE:
        raise FulmenError(f"{path}, line {line}: more than {LONGEST_LINE:,} characters; is the file a table in text?")
    if not breaks:
        return line, column + len(text)
    return line + breaks, len(text) - max(text.rfind("\n"), text.rfind("\r")) - 1


def _not_of(path: Path | str, encoding: str, error: UnicodeDecodeError) -> FulmenError:
    return FulmenError(f"{path} is no text in {encoding}: data.encoding=auto finds out")
