"""What the YAML reader and Hydra complain about in the files of conf/, with the file, the line and what to write."""

import re
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from hydra.errors import HydraException, MissingConfigException

from fulmen.config.mistakes import Mistake, did_you_mean, join, nearest
from fulmen.config.own_project import shown
from fulmen.config.places import conf_file, conf_folders, own_conf
from fulmen.config.schema import choices, groups

PLAIN = (  # what the YAML reader says -> what a person can do; {begun} is the line where the thing was opened
    (r"\\t.* cannot start any token", "a tab indents this line; YAML takes spaces only"),
    (r"mapping values are not allowed here", "a colon where none can stand: the line is indented too far, or a text "
     "that holds a colon needs quotes"),
    (r"expected <block end>|expected '<document start>'", "the indentation is that of no line above"),
    (r"unexpected end of stream", "a quote that is opened in line {begun} is never closed"),
    (r"expected ',' or '[\]}]'", "a bracket that is opened in line {begun} is never closed, or a comma is missing"),
    (r"could not find expected ':'", "a key without a colon, or no space after it: write name: value"),
    (r"found duplicate key (.+)", "{0} stands here for the second time; put both together"),
    (r"cannot start any token", "a text that begins with such a character needs quotes"),
)  # fmt: skip


def unreadable(error: yaml.MarkedYAMLError) -> Mistake | None:
    """The mistake that keeps a file from being read at all; None if the reader says no place."""
    if error.problem_mark is None:
        return None
    begun, problem = (error.context_mark or error.problem_mark).line + 1, error.problem or ""
    line = begun if problem == "could not find expected ':'" else error.problem_mark.line + 1  # it is seen one too late
    where = f"{shown(Path(error.problem_mark.name))}, line {line}"
    for pattern, plain in PLAIN:
        if found := re.search(pattern, problem):
            return Mistake(where, plain.format(*found.groups(), begun=begun))
    return Mistake(where, f"cannot be read: {problem}")


def not_text() -> Mistake | None:
    """The mistake of a file in conf/ that is not UTF-8; None if all are."""
    for path in (path for folder in conf_folders() for path in sorted(folder.rglob("*.yaml"))):
        try:
            path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            line = path.read_bytes()[: error.start].count(b"\n") + 1
            return Mistake(f"{shown(path)}, line {line}", "cannot be read: it is not UTF-8; save it as UTF-8")
        except OSError:
            continue
    return None


def in_file(error: Exception) -> Mistake | None:
    """The mistake in a file that can be read and does not fit the others; None if it is not about a file."""
    text = str(error)
    named = re.search(r"^(?:In|Invalid defaults list in) '([^']+)'", text)
    if named is None or named[1] in ("train", "sweep"):
        twice = isinstance(error, HydraException) and re.search(r"^Multiple values for ([\w/@]+)\.", text)
        return _chosen_twice(twice[1]) if twice else None
    path = conf_file(f"{named[1]}.yaml")
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, choice = error.missing_cfg_file.rpartition("/")
        return Mistake(shown(path), f"there is no {error.missing_cfg_file}{did_you_mean(choice, choices(group))}")
    if unknown := re.search(r"Could not override '([^']+)'", text):
        group = unknown[1].partition("@")[0]
        above, _, name = group.partition("/")
        if above == named[1].partition("/")[0] and name in groups():
            return Mistake(shown(path), f"a slash is missing: write `override /{name}: <choice>`")
        return Mistake(shown(path), f"no group {group} is chosen yet that it could override{_meant(group)}")
    if "defaults must be a list" in text:
        return Mistake(shown(path), "defaults has to be a list: write `- name` below it, with a dash")
    if "Cannot merge DictConfig with ListConfig" in text:
        where = next(_lists_of_mappings(yaml.safe_load(path.read_text(encoding="utf-8"))), None)
        return Mistake(join_file(path, where), "a list stands where a mapping belongs: leave out the dashes")
    return Mistake(shown(path), text.partition(": ")[2].partition("\n")[0].strip())


def marked(overrides: Iterable[str]) -> list[Mistake]:
    """The mistake of an experiment whose file begins with a byte order mark, behind which Hydra sees no first line."""
    names = [override.partition("=")[2] for override in overrides if override.startswith("experiment=")]
    files = [path for name in names if (path := conf_file(f"experiment/{name}.yaml")).is_file()]
    problem = "begins with an invisible mark (a BOM), which Hydra cannot read: save it as UTF-8 without it"
    return [Mistake(f"{shown(path)}, line 1", problem) for path in files if path.read_bytes().startswith(BOM_UTF8)]


def line_choosing(missing: str) -> str:
    """The file and line of the project at hand that choose `network/sensors/tabmm`; "" if none does."""
    group, _, choice = missing.partition("/")
    wanted = re.compile(rf"^[^#]*\b{re.escape(group)}\s*:\s*['\"]?{re.escape(choice)}['\"]?\s*(#|$)")
    own = own_conf()
    for path in sorted(own.rglob("*.yaml")) if own else ():
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
            if wanted.search(line):
                return f"{shown(path)}, line {number}"
    return ""


def join_file(path: Path, place: str | None) -> str:
    return f"{shown(path)}, {place}" if place else shown(path)


def _meant(group: str) -> str:
    meant = nearest(group, groups())
    return f"; did you mean {meant}?" if meant and meant != group else "; leave out `override`"


def _chosen_twice(group: str) -> Mistake:
    """The mistake of choosing a group in a file as if nobody had chosen it before."""
    wanted = re.compile(rf"^\s*-\s*/?{re.escape(group)}:\s*(\S+)", re.MULTILINE)
    for path in (path for folder in reversed(conf_folders()) for path in sorted(folder.glob("experiment/*.yaml"))):
        if found := wanted.search(path.read_text(encoding="utf-8", errors="replace")):
            return Mistake(shown(path), f"{group} is chosen already; write `- override /{group}: {found[1]}`")
    return Mistake("", f"{group} is chosen twice; the second has to be written `- override /{group}: <name>`")


def _lists_of_mappings(content: Any, path: str = "") -> Iterator[str]:
    """Paths of lists that hold nothing but mappings of one key, as a mapping with dashes does."""
    if isinstance(content, list) and all(isinstance(item, dict) and len(item) == 1 for item in content):
        yield path
    if isinstance(content, dict):
        for key, value in content.items():
            if key != "defaults":
                yield from _lists_of_mappings(value, join(path, key))
