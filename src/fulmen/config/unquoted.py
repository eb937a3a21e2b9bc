"""What an override means whose texts lack the quotes that Hydra wants: `[not ok,ok!]`, `{close: Adj Close (USD)}`."""

from typing import Any

from fulmen.config.mistakes import as_text

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "space": " "}  # Hydra takes no bare semicolon
PAIRS = {"[": "]", "{": "}", "(": ")"}


def requoted(key: str, value: str) -> str | None:
    """`key=value` with quotes around the texts that need some; None where that cannot be read either.

    A sign that has a word of its own as a delimiter is written as that.
    """
    if key.endswith(".delimiter") and (words := [word for word, sign in DELIMITERS.items() if sign == meant(value)]):
        return f"{key}={words[0]}"
    text = f"{key}={as_text(meant(value))}"
    return text if readable(text) else None


def readable(override: str) -> bool:
    """Whether Hydra can read an override."""
    from hydra.core.override_parser.overrides_parser import OverridesParser  # not where a server starts
    from hydra.errors import HydraException

    try:
        OverridesParser.create().parse_override(override)
    except HydraException:
        return False
    return True


def meant(value: str, texts: bool = False) -> Any:
    """The plain value that was probably meant by what stands behind an `=`, whatever characters its texts hold.

    Args:
        texts: whether numbers, true, false and null are texts too.
    """
    value = value.strip() or value
    if len(value) > 1 and value[0] in "[{" and closes(value):
        parts = _split(value[1:-1], ",")
        if value[0] == "[":
            return [meant(part, texts) for part in parts]
        pairs = [_split(part, ":", most=1) for part in parts]
        if all(len(pair) == 2 for pair in pairs):
            return {_bare(name): meant(item, texts) for name, item in pairs}
        return value
    if (bare := _bare(value)) != value:
        return bare
    return value if texts else _scalar(value)


def as_texts(value: str) -> Any:
    """What was meant by `value` where texts are wanted: `2024`, `1e5` and `true` letter by letter."""
    read, text = meant(value), meant(value, texts=True)
    if isinstance(read, list):
        kept = [isinstance(each, str | int) and not isinstance(each, bool) for each in read]
        return [item if keep else bare for item, bare, keep in zip(read, text, kept, strict=True)]
    return text


def closes(value: str) -> bool:
    """Whether the bracket at the beginning of `value` is closed at its end."""
    return value[-1:] == PAIRS.get(value[:1], "") and not any(depth < 1 for _, depth in _depths(value[:-1], "[{"))


def is_open(value: str) -> bool:
    """Whether `value` begins with a bracket that is closed nowhere."""
    return value[:1] in ("[", "{") and all(depth > 0 for _, depth in _depths(value, "[{"))


def _split(text: str, mark: str, most: int = -1) -> list[str]:
    """The parts between marks that stand outside brackets and quotes; round ones count where all are closed."""
    depths = list(_depths(text, "[{("))
    if not depths or depths[-1][1]:
        depths = list(_depths(text, "[{"))
    parts: list[str] = []
    begin = 0
    for place, depth in depths:
        if text[place] == mark and depth == 0 and most != len(parts):
            parts.append(text[begin:place].strip())
            begin = place + 1
    return [*parts, text[begin:].strip()] if text.strip() else []


def _depths(text: str, openers: str) -> list[tuple[int, int]]:
    """Each place of `text` outside quotes, and how many brackets are open there, its own among them."""
    found, depth, quote, closers = [], 0, "", "".join(PAIRS[each] for each in openers)
    for place, letter in enumerate(text):
        before = text[:place].rstrip()[-1:]
        if quote:
            quote = "" if letter == quote and text[place - 1] != "\\" else quote
        elif letter in "'\"" and before in ("", ",", ":", *"[{(") and letter in text[place + 1 :]:
            quote = letter
        else:
            depth += (letter in openers) - (letter in closers)
            found.append((place, depth))
    return found


def _bare(text: str) -> str:
    """`text` without quotes that Hydra would take off."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        read = _scalar(text)
        return read if isinstance(read, str) else text
    return text


def _scalar(text: str) -> Any:
    """What Hydra reads where that is one value; else the text itself."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    from fulmen.config.override_values import plain

    try:
        parsed = OverridesParser.create().parse_override(f"it={text}")
        value = None if parsed.is_sweep_override() else plain(parsed.value())
    except HydraException:
        return text
    if parsed.is_sweep_override() or isinstance(value, list | dict):
        return text
    return value
