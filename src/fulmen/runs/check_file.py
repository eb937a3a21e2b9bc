"""`fulmen check`: what an experiment takes from a file of a person's own. Nothing is trained, no folder is left."""

import json
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from fulmen.config.mistakes import ConfigError, as_text, command, for_shell, key_of, mended_by
from fulmen.config.schema import refuse_unknown
from fulmen.diagnosis.ignored import as_plain, in_a_line
from fulmen.errors import FulmenError
from fulmen.io.taken import Taken, doubts_of, lines_of, without_doubts
from fulmen.report.leaks import DOUBTED, PROVES_NOTHING, as_words

if TYPE_CHECKING:
    from fulmen.data.leaks.leak import Leak
    from fulmen.data.leaks.look import Looked

CURED = 4  # leaks that a command is cured of at most, each of which takes another scan
SETTING = re.compile(r"[+~]*[A-Za-z_][\w./@]*=")


@dataclass
class Checked:
    """What an experiment took from files.

    Attributes:
        experiment: its name.
        taken: of each file.
        splits: how many samples each split has; empty where the data do not hold them in memory.
        warnings: sentences, the doubts among them.
        overrides: of the command that trains on them.
        leaks: that a scan of the data found, the gravest first, mistakes in the data among them.
        ignored: what it found and was asked not to report.
        cures: overrides among them that remove leaks.
        maybe: overrides that remove what is a note, where there is no more than notes; the command has none of them.
        scanned: whether there was a scan; `leaks=off` makes none.
    """

    experiment: str
    taken: list[Taken]
    splits: dict[str, int]
    warnings: list[str]
    overrides: list[str] = field(default_factory=list)
    leaks: list["Leak"] = field(default_factory=list)
    ignored: list[dict[str, Any]] = field(default_factory=list)
    cures: list[str] = field(default_factory=list)
    maybe: list[str] = field(default_factory=list)
    scanned: bool = False

    @property
    def is_wrong(self) -> bool:
        """Whether there is an error or a warning among the leaks."""
        return any(leak.severity != "note" for leak in self.leaks)

    def lines(self) -> list[str]:
        """What is printed; the last line is the command."""
        sizes = ", ".join(f"{name} {count:,}" for name, count in self.splits.items())
        return [
            *lines_of(without_doubts(self.taken)),
            *([f"samples: {sizes}"] if sizes else []),
            *(f"warning: {each}" for each in self.warnings),
            *(leak.told for leak in self.leaks),
            *filter(None, [in_a_line(self.ignored)]),
            *([f"leaks: {self._none} found; {PROVES_NOTHING}"] if self.scanned and not self.leaks else []),
            *([f"without what may leak: {command(changed(self.overrides, self.maybe))}"] if self.maybe else []),
            *([f"without what leaks ({' '.join(map(for_shell, self.cures))}):"] if self.cures else []),
            command(self.overrides),
        ]

    @property
    def _none(self) -> str:
        return "no other leak" if self.ignored else "none"

    def to_plain(self) -> dict[str, Any]:
        return {
            "experiment": self.experiment,
            "taken": [each.to_plain() for each in self.taken],
            "samples": self.splits,
            "warnings": self.warnings,
            "leaks": [leak.as_dict() for leak in self.leaks],
            "ignored": self.ignored,
            "command": command(self.overrides),
        }


def check(words: Sequence[str], experiment: str | None, as_json: bool = False, strict: bool = False) -> int:
    """Print what is taken from files, what is wrong with it, and the command that trains on it; the exit code.

    Args:
        strict: 1 is the exit code where there is a leak or the data are unfit.

    Raises:
        FulmenError: a file cannot be used; one line, with what to do.
    """
    refuse_unreadable(words, experiment)
    files, overrides = told_apart(words)
    seen: Sequence[str] = ()
    argument = ""
    if experiment is None and (named := [each for each in overrides if key_of(each) == "experiment"]):
        experiment, overrides = named[-1].partition("=")[2], [each for each in overrides if each not in named]
    if experiment is None:
        from fulmen.runs.recognising import Answer, recognised

        found = recognised(files[0], overrides, quiet=as_json)
        if isinstance(found, Answer):
            print(json.dumps({"what": found.what, "command": found.command}) if as_json else "\n".join(found.lines()))
            return 0
        experiment, argument, seen = found.experiment, found.argument, found.lines
        overrides = [*found.overrides, *overrides]
    if not as_json and seen:
        print("\n".join(seen), flush=True)
    checked = taken_from(files, experiment, overrides, argument)
    print(json.dumps(checked.to_plain(), indent=1, ensure_ascii=False) if as_json else "\n".join(checked.lines()))
    strict |= any(key_of(each) == "leaks" and each.endswith("strict") for each in checked.overrides)
    return int(strict and checked.is_wrong)


def refuse_unreadable(words: Sequence[str], experiment: str | None) -> None:
    """Pass if no setting among words has been taken apart by the shell or lacks the quotes that Hydra wants.

    Raises:
        ConfigError: one has or does; with the command that was meant.
    """
    from fulmen.config.typed_words import mistakes_in

    settings = [each for each in words[1:] if not Path(each).exists()]
    mistakes = mistakes_in(settings)
    if mistakes:
        mended = mended_by(mistakes, settings)[0]
        files = [each for each in words if each not in settings]
        more = ["--experiment", experiment] if experiment else []
        whole = ["check", *files, *more, *mended] if all(each.mend for each in mistakes) else None
        raise ConfigError(mistakes, whole, "fulmen")


def told_apart(words: Sequence[str]) -> tuple[list[Path], list[str]]:
    """The files among words, the first of which is one, and the overrides.

    Raises:
        FulmenError: there is no such file.
    """
    overrides = [each for each in words[1:] if SETTING.match(each) and not Path(each).exists()]
    if SETTING.match(words[0]) and not Path(words[0]).exists():
        raise FulmenError(f"check which file? fulmen check FILE {for_shell(words[0])}")
    files = [Path(each) for each in words if each not in overrides]
    for path in files:
        if not path.exists():
            raise FulmenError(f"check: there is no file {path}")
    return files, overrides


def taken_from(files: Sequence[Path], experiment: str, overrides: Sequence[str], argument: str = "") -> Checked:
    """What the data of an experiment take from files.

    Args:
        argument: of the data that takes them; "": the usual one.

    Raises:
        FulmenError: no such experiment, one whose data read no file, a mistake in an override, or a file that does not
            fit.
    """
    from fulmen.config.allow_list import locate
    from fulmen.config.compose import unresolved
    from fulmen.config.signatures import parameters
    from fulmen.runs.recognising import reads_files

    refuse_unknown(experiment)
    typed = [f"experiment={experiment}", *overrides]
    with as_check(files, experiment):
        kind = locate(unresolved(typed, "data")["_target_"])
    if not reads_files(kind):
        raise FulmenError(f"the data of {experiment} read no file")
    if files[0].is_dir() and not argument:
        if "folder" not in (parameters(kind) or ()):
            raise FulmenError(f"{files[0]} is a folder; name a file in it")
        argument = "folder"
    names = [str(path) for path in files]
    file = f"data.{argument or kind.reads}={as_text(names[0] if len(names) == 1 else names)}"
    for each in overrides:
        if key_of(each) == key_of(file):
            raise FulmenError(
                f"{each} names a file, and so does the command; name one: {command(['check', *names], 'fulmen')}"
            )
    with as_check(files, experiment, file), one_file(files, experiment, key_of(file)):
        data, told, looked = built([*typed, file])
    doubts = doubts_of(data.taken)
    said = dict.fromkeys([*(each for each in told if not any(each in doubt for doubt in doubts)), *doubts])
    more, cures = needed(typed, data), cured([*typed, file], looked)
    maybe = [] if looked.doubts else cured([*typed, file], looked, ("note",))
    trains = changed([typed[0], file, *overrides], [*more, *cures])
    checked = Checked(experiment, list(data.taken), sizes(data), list(said), trains, cures=cures, maybe=maybe)
    return replace(checked, leaks=list(looked.leaks), ignored=as_plain(looked.ignored), scanned=looked.scanned)


def built(overrides: list[str]) -> tuple[Any, list[str], "Looked"]:
    """The data that overrides lead to, set up, what they warned of, and the scan; what they prepare is not kept."""
    from fulmen.callbacks.leaks import looked_at
    from fulmen.config.check import build, check_overrides
    from fulmen.config.compose import to_plain
    from fulmen.config.named_files import files_in_words
    from fulmen.runs.surroundings import kept_surroundings

    cfg = check_overrides(overrides)
    node = cfg.data
    with kept_surroundings(), no_cache(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        data = build(node, "data")
        with files_in_words(to_plain(node), "data", data):
            data.prepare_data()
            data.setup("fit")
        looked = looked_at(data, cfg)
    told = list(dict.fromkeys(str(each.message) for each in caught if each.category is UserWarning))
    return data, told, looked


def needed(typed: Sequence[str], data: Any) -> list[str]:
    """Overrides without which the model of an experiment cannot take data that are set up."""
    from fulmen.config.compose import unresolved
    from fulmen.workload import WorkloadData

    return list(data.fitting(unresolved(typed, "model"))) if isinstance(data, WorkloadData) else []


def cured(typed: Sequence[str], looked: "Looked", severities: Sequence[str] = DOUBTED) -> list[str]:
    """The cures of leaks of some severities, the gravest first, as far as data made with them have fewer."""
    found: list[str] = []
    for _ in range(CURED):
        doubts = [leak for leak in looked.leaks if leak.id.startswith("FUL-L") and leak.severity in severities]
        cure = as_words(next((leak.cures for leak in doubts if leak.cures), ()))
        if not cure:
            break
        try:
            looked = built(changed(typed, [*found, *cure]))[2]
        except FulmenError:
            break
        left = [leak for leak in looked.leaks if leak.id.startswith("FUL-L") and leak.severity in severities]
        if len(left) >= len(doubts):
            break
        found = changed(found, cure)
    return found


def changed(overrides: Sequence[str], changes: Sequence[str]) -> list[str]:
    """Overrides with others in the place of those with the same key."""
    keys = set(map(key_of, changes))
    return [*(each for each in overrides if key_of(each) not in keys), *changes]


def sizes(data: Any) -> dict[str, int]:
    """Samples of each split that is held in memory."""
    from fulmen.data.batches import size
    from fulmen.workload import splits_of

    splits = splits_of(data)
    order = [name for name in ("train", "validation", "test") if name in splits]
    return {name: size(splits[name]) for name in [*order, *(name for name in splits if name not in order)]}


@contextmanager
def no_cache() -> Iterator[None]:
    """What is prepared in this block goes with it."""
    before = os.environ.get("FULMEN_CACHE")
    with TemporaryDirectory(prefix="fulmen_check_", ignore_cleanup_errors=True) as folder:
        os.environ["FULMEN_CACHE"] = folder
        try:
            yield
        finally:
            os.environ.pop("FULMEN_CACHE") if before is None else os.environ.update(FULMEN_CACHE=before)


@contextmanager
def one_file(files: Sequence[Path], experiment: str, path: str) -> Iterator[None]:
    """Tell of several files where the argument at `path` takes one."""
    try:
        yield
    except ConfigError as error:
        if len(files) > 1 and any(each.path == path for each in error.mistakes):
            line = command(["check", str(files[0]), "--experiment", experiment], "fulmen")
            raise FulmenError(f"the data of {experiment} read one file, not {len(files)}: {line}") from error
        raise


@contextmanager
def as_check(files: Sequence[Path], experiment: str, *without: str) -> Iterator[None]:
    """Tell mistakes in overrides with a command of this verb."""
    try:
        yield
    except ConfigError as error:
        given = {"experiment", *map(key_of, without)}
        mended = None if error.overrides is None else [each for each in error.overrides if key_of(each) not in given]
        words = None if mended is None else ["check", *map(str, files), "--experiment", experiment, *mended]
        raise ConfigError(error.mistakes, words, "fulmen", error.without) from error
