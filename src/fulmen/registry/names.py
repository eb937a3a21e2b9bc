"""Names of models, their versions and aliases: what they may be, and how a person refers to one."""

import os
import re
from dataclasses import dataclass

from fulmen.errors import FulmenError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
NUMBER = re.compile(r"[1-9][0-9]{0,8}")
WINDOWS = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)  # device names, with any extension


@dataclass(frozen=True)
class Reference:
    """What `pump`, `pump:3` or `pump@champion` asks for; with neither number nor alias: the newest version."""

    name: str
    number: int | None = None
    alias: str | None = None

    def __str__(self) -> str:
        return self.name + (f":{self.number}" if self.number else f"@{self.alias}" if self.alias else "")


def check_name(name: str, what: str = "model name") -> str:
    """The name itself if a folder may bear it on every file system.

    Raises:
        FulmenError: it may not, and why.
    """
    shown = name if len(name) <= 60 else f"{name[:60]}..."
    if not NAME.fullmatch(name):
        raise FulmenError(
            f"{what} {shown!r}: 1 to 100 of the letters a-z A-Z, digits, `_`, `.` and `-`, a letter or digit first"
        )
    if ".." in name or name.endswith("."):
        raise FulmenError(f"{what} {shown!r}: no two dots in a row, no dot at the end")
    if WINDOWS.fullmatch(name):
        raise FulmenError(f"{what} {shown!r} is reserved on Windows; choose another")
    return name


def cleaned(text: str) -> str:
    """The nearest to `text` that may be a name; empty if nothing of it may."""
    return re.sub(r"\.\.+", ".", re.sub(r"[^A-Za-z0-9_.-]+", "-", text)).strip(".-_")[:100].rstrip(".-_")


def model_name(text: str) -> str:
    """The nearest to `text` that a model may be called: `zoo/28_cnn_lstm`, a study, has a folder too many.

    Raises:
        FulmenError: nothing that may be a name is left.
    """
    return check_name(cleaned(text))


def check_alias(alias: str) -> str:
    """The alias itself if it is a name and cannot be mistaken for a version.

    Raises:
        FulmenError: it is not.
    """
    check_name(alias, "alias")
    if alias.isdigit():
        raise FulmenError(
            f"alias {alias!r} would look like a version; choose a word, for example champion. A version is written "
            f"<name>:{alias}"
        )
    return alias


def parse(text: str) -> Reference:
    """`NAME`, `NAME:VERSION` or `NAME@ALIAS`.

    Raises:
        FulmenError: it is none of these.
    """
    if os.path.isfile(os.path.join(text, "config.yaml")):  # False also for what can be no path
        keep = f"fulmen models save {text} --name NAME"
        raise FulmenError(f"{text} is a run folder and no kept model; keep its model first: {keep}")
    name = re.split("[:@]", text, maxsplit=1)[0]
    mark, rest = text[len(name) : len(name) + 1], text[len(name) + 1 :]
    check_name(name)
    if mark == "@":
        return Reference(name, alias=check_alias(rest))
    if mark == ":":
        return Reference(name, number=parse_number(rest, text))
    return Reference(name)


def parse_number(text: str, whole: str) -> int:
    """A version as typed: `3` (or `v3`).

    Raises:
        FulmenError: it is none.
    """
    if not NUMBER.fullmatch(text.removeprefix("v")):
        raise FulmenError(f"{whole!r}: {text!r} is no version; write pump:3, or pump@champion for an alias")
    return int(text.removeprefix("v"))
