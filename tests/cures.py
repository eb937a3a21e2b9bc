"""What an error message tells a person to type, as the shell and Hydra read it."""

import re
import shlex

from fulmen.config.mistakes import key_of
from fulmen.config.override_values import value_of

PROGRAM = re.compile(r"(?:python train\.py|python sweep\.py|fulmen (?:train|sweep|diagnose|check|predict)) [^\n]*")
BEGIN = re.compile(r"""(?<![\w.=/'"\]])(['"]?)(?:--)?[a-z_]+(?:[.-][a-z_0-9]+)*=(?=\S)""")


def commands_in(message):
    """The words of every whole command: `python train.py experiment=stocks data.csv=x.csv`."""
    return [shlex.split(found) for found in PROGRAM.findall(message)]


def overrides_in(message):
    """Every `key=value` of a message, as a program gets it from the shell, those of whole commands left out."""
    rest, found, place = PROGRAM.sub(" ", message), [], 0
    while begin := BEGIN.search(rest, place):
        word, place = _word(rest, begin.start())
        found += [word] if "=" in word else []
    return found


def cures(message):
    """What a message offers: for each alternative the overrides; of a command all it has, of one override that one."""
    whole = [[word for word in words[2:] if "=" in word and word[0] != "-"] for words in commands_in(message)]
    return whole or [[override] for override in overrides_in(message)]


def applied(typed, cure):
    """`typed` with the overrides of a cure in the place of those with the same key."""
    keys = {key_of(override) for override in cure}
    return [*(override for override in typed if key_of(override) not in keys), *cure]


def arguments(overrides, key="data"):
    """The overrides of one node as arguments of its class: `data.csv=x` is {"csv": "x"}, nested ones in mappings."""
    found = {}
    for override in overrides:
        path = key_of(override).split(".")
        if path[0] == key and len(path) > 1:
            node = found
            for name in path[1:-1]:
                node = node.setdefault(name, {})
            node[path[-1]] = value_of(override)
    return found


def _word(text, place):
    """The shell's word that begins at a place, and where it ends; punctuation of the sentence is no part of it."""
    word, quote, bare = "", "", ""
    for place in range(place, len(text)):  # noqa: B020
        letter = text[place]
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter.isspace():
            break
        word, bare = word + letter, "" if quote or letter in "'\"" else bare + letter
    ending = re.search(r"[.,;:)?!]*$", bare)[0]
    if ")" in ending and word.count("(") == word.count(")"):
        ending = ending[ending.rfind(")") + 1 :]
    return "".join(shlex.split(word[: len(word) - len(ending)])), place + 1
