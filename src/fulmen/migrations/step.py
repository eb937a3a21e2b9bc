"""One change of what is stored, as a table of names or a function; every file of before is led through it once.

A renamed argument takes one more file, say `step_3_splits.py`, and its entry in `STEPS`:

    STEP = Step(3, "parts are called splits", arguments={"fulmen.workloads.pbpk.data.PBPKData": {"parts": "splits"}})

The number is that of the step before and one: files written from then on hold it, and no step up to it touches them.
A module that has lost a class to another keeps a line for the Python of other people, which then imports it as before:

    __getattr__ = forwarding(__name__)  # of fulmen.migrations.old_imports

A test on a frozen folder of before says that it loads. An old name is never given to something else.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fulmen.migrations.bases import bases_in_fulmen

Plain = dict[str, Any]
Bases = Callable[[str], Sequence[str]]


@dataclass(frozen=True)
class Step:
    """One change.

    Attributes:
        number: of the format that it leads to.
        what: it is about, in a few words.
        modules: moved ones, below fulmen: old -> new.
        names: full dotted names of classes and functions that moved or were renamed by themselves: old -> new.
        arguments: renamed ones of a class or function: its full name after this step -> {old: new}.
        change: for all else, such as other values: takes a plain config, gives one; for stored files alone, since only
            these say of which time they are.
    """

    number: int
    what: str
    modules: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    change: Callable[[Plain], Plain] | None = None

    def __call__(self, stored: Plain, bases: Bases) -> Plain:
        """`stored` after this step; it is left as it is itself. `bases`: as `renewed` takes it."""
        renewed = self.renewed(stored, bases)
        return self.change(renewed) if self.change else renewed

    def target(self, target: str) -> str:
        """The name after this step of a class or function; any other text as it is."""
        module, _, name = target.removeprefix("fulmen.").rpartition(".")
        if target in self.names:
            return self.names[target]
        moved = target.startswith("fulmen.") and module in self.modules
        return f"fulmen.{self.modules[module]}.{name}" if moved else target

    def renewed(self, value: Any, bases: Bases, said: list[str] | None = None, path: str = "") -> Any:
        """Nested plain values with the names of after this step.

        Args:
            bases: of somebody else's class the classes of fulmen whose arguments it takes, by every name they have had.
            said: gets a line for each name that was another.
        """
        if isinstance(value, list):
            return [self.renewed(item, bases, said, f"{path}.{i}") for i, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        node = {key: self.renewed(item, bases, said, f"{path}.{key}") for key, item in value.items()}
        if isinstance(node.get("_target_"), str):
            for line in self._rename(node, bases, path.lstrip(".")):
                if said is not None:
                    said.append(line)
        return node

    def _rename(self, node: Plain, bases: Bases, path: str) -> Iterator[str]:
        """Rename target and arguments of a node in place."""
        before, node["_target_"] = node["_target_"], self.target(node["_target_"])
        if before != node["_target_"]:
            yield f"{path}._target_: {before} is {node['_target_']} now"
        for old, new in self._arguments(node["_target_"], bases).items():
            if old in node:
                node[new] = node.pop(old)  # wins over what a file of today says of the new one: somebody has typed it
                yield f"{path}.{old} is {path}.{new} now"

    def _arguments(self, target: str, bases: Bases) -> Mapping[str, str]:
        """Those that were renamed of a class, or of the classes that it is made from."""
        if target in self.arguments or not self.arguments or target.startswith("fulmen."):
            return self.arguments.get(target, {})
        return {old: new for base in bases(target) for old, new in self.arguments.get(base, {}).items()}


def left_out(said: Mapping[str, Plain]) -> Callable[[Plain], Plain]:
    """A `change` that gives nodes arguments which they do not name: what holds for those of before.

    Args:
        said: full name of a class -> its arguments; a class made from it that hands arguments on, too.
    """

    def added(value: Any) -> Any:
        if isinstance(value, list):
            return [added(item) for item in value]
        if not isinstance(value, dict):
            return value
        node = {key: added(item) for key, item in value.items()}
        target = node.get("_target_")
        for made in {target, *bases_in_fulmen(target)} & set(said) if isinstance(target, str) else ():
            node = said[made] | node
        return node

    return added
