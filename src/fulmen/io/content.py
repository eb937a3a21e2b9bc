"""What a file of a person's own holds, before it is known what for; a workload says whether that is for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fulmen.errors import FulmenError
from fulmen.io.options import TableOptions

if TYPE_CHECKING:
    import pandas

PACKED_ARRAYS = (".npz", ".npy")


@dataclass(frozen=True)
class Content:
    """What is in a file.

    Attributes:
        path: of it.
        kind: a table, named arrays (.npz, .npy), a folder, or something else, such as a log.
        names: of the columns, or of the arrays.
        table: the cells, as `fulmen.io.tables.RawTable.frame` has them; None where there is no table.
        refusal: why it is no table, where it is something else.
    """

    path: Path
    kind: Literal["table", "arrays", "folder", "else"]
    names: tuple[str, ...] = ()
    table: "pandas.DataFrame | None" = field(default=None, repr=False, compare=False)
    refusal: FulmenError | None = None


@dataclass(frozen=True)
class Recognised:
    """What a workload could make of a file.

    Attributes:
        what: the file is, in words: "daily prices".
        strength: 3: it has the names of this very config; 2: it holds what the workload is for; 1: it could be used.
            The strongest is taken.
        argument: of the data that takes the file; "": the usual one, `WorkloadData.reads`.
        arguments: of the data that have to be given beside the file: name -> value.
        seen: lines on what is in the file, for a person who has to choose.
        ask: what has to be said before anything can be trained, with the overrides that do; "": nothing.
    """

    what: str
    strength: Literal[1, 2, 3]
    argument: str = field(default="", kw_only=True)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    seen: tuple[str, ...] = ()
    ask: str = ""


def content_of(path: Path, options: TableOptions) -> Content:
    """What is in the file at `path`.

    Raises:
        FulmenError: there is no such file, it is empty or damaged, or options are needed to read it as the table it is.
    """
    from fulmen.io.arrays import names_in
    from fulmen.io.containers import container_of
    from fulmen.io.tables import read_table

    if path.is_dir():
        return Content(path, "folder", refusal=FulmenError(f"{path} is a folder; name a file in it"))
    if path.suffix.lower() in PACKED_ARRAYS and path.is_file():
        return Content(path, "arrays", tuple(names_in(path)))
    container = container_of(path, "check")
    try:
        frame = read_table(path, options, word="check").frame
    except FulmenError as refusal:
        if container.kind != "text":
            raise
        return Content(path, "else", refusal=refusal)
    return Content(path, "table", tuple(map(str, frame.columns)), frame)
