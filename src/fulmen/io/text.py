"""Text of any encoding: which one it is, and whether it is text at all."""

import codecs
import re
from pathlib import Path

from fulmen.errors import FulmenError
from fulmen.io.containers import DAMAGED, Container, container_of, unreadable
from fulmen.io.hints import override
from fulmen.io.legacy import LINES, legacy_encoding
from fulmen.io.taken import Guess

SAMPLE = 1 << 20  # bytes that are looked at first, and at a time
LONGEST_LINE = 1 << 20  # characters; a table with longer ones is none
LONGEST_JSON = 1 << 28
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip
CONTROLS = bytes([*range(9), 11, 12, *range(14, 26), *range(27, 32), 127])  # 26 ends files of DOS
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x19\x1b-\x1f\x7f]")
PRINTED = {8: " ", 27: " "}  # a step back, and the beginning of a colour


def read_text(path: str | Path, encoding: str = "auto", word: str = "log") -> tuple[str, list[Guess]]:
    """All of a text file, plain or packed, in any encoding.

    Raises:
        FulmenError: no such file, a folder, an empty or damaged file, or no text; one line with the place.
    """
    container = container_of(path, word)
    if container.kind != "text":
        raise FulmenError(f"{path} is {'a Parquet file' if container.kind == 'parquet' else 'an Excel workbook'}")
    encoding, guesses = encoding_of(container, encoding, table=False)
    try:
        with container.open() as file:
            return file.read().decode(encoding).removesuffix("\x1a"), [*container.guesses, *guesses]
    except UnicodeError as error:
        raise _not_of(path, encoding) from error
    except DAMAGED as error:
        raise unreadable(path, error) from error


def encoding_of(
    container: Container, said: str = "auto", key: str = "data", table: bool = True
) -> tuple[str, list[Guess]]:
    """The encoding of a whole text file, after a look at all of its bytes.

    Args:
        said: by a person; "auto": to be found out.
        table: whether it has to be a table; what a program has printed may colour its words and go back in a line,
            and JSON may be one long line.

    Raises:
        FulmenError: control characters or too long a line, with the place, or bytes that are not of what was said.
    """
    try:
        encoding, guesses = (said, []) if said != "auto" else _marked(container, key)
        try:
            _scan(container, encoding, table)
        except UnicodeError as error:  # of UTF-16 without a mark it is no UnicodeDecodeError
            if said != "auto" or encoding != "utf-8" or not isinstance(error, UnicodeDecodeError):
                raise _not_of(container.path, encoding, key) from error
            encoding, guesses = _legacy(container, key)
            _scan(container, encoding, table)
    except UnicodeError as error:
        raise _not_of(container.path, encoding, key) from error
    except DAMAGED as error:
        raise unreadable(container.path, error) from error
    return encoding, guesses


def _scan(container: Container, encoding: str, table: bool) -> None:
    """Look at every byte: whether it is of the encoding, and no control character, in lines that are not endless."""
    wide = "16" in encoding or "32" in encoding
    controls, longest = (CONTROLS, LONGEST_LINE) if table else (CONTROLS.translate(None, b"\b\x1b"), LONGEST_JSON)
    line, column, decoder = 1, 0, codecs.getincrementaldecoder(encoding)()
    with container.open() as file:
        while chunk := file.read(SAMPLE):
            text = decoder.decode(chunk)
            if wide or len(chunk.translate(None, controls)) < len(chunk):
                _refuse_control(container.path, text if table else text.translate(PRINTED), line, column)
            line, column = _place(container.path, text, line, column, longest)
    decoder.decode(b"", final=True)


def _marked(container: Container, key: str) -> tuple[str, list[Guess]]:
    """The encoding by the mark at the beginning, or by zeros in every second byte; else what most texts are in."""
    with container.open() as file:
        sample = file.read(4096)
    for mark, name in BOMS:
        if sample.startswith(mark):
            return name, [] if name == "utf-8-sig" else [Guess(f"{name.upper()} text")]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) > len(sample) // 4:
        name = "utf-16-be" if even > odd else "utf-16-le"
        return name, [Guess(f"{name.upper()} text", override(f"{key}.encoding", name))]
    return "utf-8", []


def _legacy(container: Container, key: str) -> tuple[str, list[Guess]]:
    """The encoding of a file that is no UTF-8, by all of its lines that are not ASCII."""
    lines: dict[bytes, None] = {}
    with container.open() as file:
        rest = b""
        while chunk := file.read(SAMPLE):
            whole, cut, rest = (rest + chunk).rpartition(b"\n")
            if not whole.isascii() and len(lines) < LINES:
                lines.update(dict.fromkeys(line for line in whole.splitlines() if not line.isascii()))
            if not cut and len(rest) > LONGEST_LINE:
                break
    encoding, rival = legacy_encoding(b"\n".join([*lines, rest]))
    doubt = f", or in {rival}: look at the names" if rival else ""
    return encoding, [Guess(f"text in {encoding}{doubt}", override(f"{key}.encoding", rival or encoding))]


def _refuse_control(path: Path, text: str, line: int, column: int) -> None:
    found = CONTROL.search(text)
    if found:
        before = text[: found.start()]
        at = line + before.count("\n")
        place = found.start() - before.rfind("\n") + (column if "\n" not in before else 0)
        raise FulmenError(
            f"{path}, line {at}, character {place}: a control character, {found[0]!r}; is the file a table in text?"
        )


def _place(path: Path, text: str, line: int, column: int, longest: int) -> tuple[int, int]:
    """Line and column after `text`, of which no line may be too long."""
    breaks = text.count("\n") or text.count("\r")
    first = text.find("\n") if "\n" in text else text.find("\r")
    if column + (first if first >= 0 else len(text)) > longest:
        raise FulmenError(f"{path}, line {line}: more than {longest:,} characters; is the file a table in text?")
    if not breaks:
        return line, column + len(text)
    return line + breaks, len(text) - max(text.rfind("\n"), text.rfind("\r")) - 1


def _not_of(path: Path | str, encoding: str, key: str = "data") -> FulmenError:
    return FulmenError(f"{path} is no text in {encoding}: {key}.encoding=auto finds out")
