"""Which classes of fulmen a class of somebody else is made from, read from its source: nothing of it is run."""

import ast
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path


@cache
def bases_in_fulmen(target: str) -> tuple[str, ...]:
    """The full names, as its module writes them, of classes of fulmen whose arguments the class `target` takes.

    A class that names all its arguments itself takes none of its bases'. What cannot be read has no bases.
    """
    return tuple(dict.fromkeys(_bases(target, frozenset())))


def _bases(target: str, seen: frozenset[str]) -> Iterator[str]:
    module, _, name = target.rpartition(".")
    if target in seen or not module:
        return
    tree = _tree(module)
    kind = next((node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == name), None)
    if kind is None or not _hands_on(kind):
        return
    known = _imported(tree, module) | {node.name: f"{module}.{node.name}" for node in tree.body
                                       if isinstance(node, ast.ClassDef)}  # fmt: skip
    for base in kind.bases:
        first, _, rest = ast.unparse(base).partition(".")
        full = ".".join(filter(None, [known.get(first, first), rest]))
        if full.startswith("fulmen."):
            yield full
        else:
            yield from _bases(full, seen | {target})


def _hands_on(kind: ast.ClassDef) -> bool:
    """Whether arguments that the class does not name reach its bases."""
    made = next((node for node in kind.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"), None)
    return made is None or made.args.kwarg is not None


def _imported(tree: ast.Module, module: str) -> dict[str, str]:
    """Name in a module -> full name of what it was imported as."""
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.Import):
            found |= {each.asname: each.name for each in node.names if each.asname}
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: -node.level] if node.level else []
            origin = ".".join([*above, *filter(None, [node.module])])
            found |= {each.asname or each.name: f"{origin}.{each.name}" for each in node.names}
    return found


def _tree(module: str) -> ast.Module:
    """The source of a module, found without importing the packages it lies in; an empty one if there is none."""
    top, *below = module.split(".")
    if not all(map(str.isidentifier, [top, *below])):
        return ast.Module([], [])
    try:
        spec = find_spec(top)
        place = Path(*(spec.submodule_search_locations or [])[:1], *below) if spec else Path()
        origins = [Path(spec.origin)] if spec and spec.origin and not below else []
        files = [*origins, place.with_suffix(".py"), place / "__init__.py"]
        return ast.parse(next(file for file in files if file.is_file()).read_bytes())
    except (ImportError, ValueError, OSError, SyntaxError, StopIteration):
        return ast.Module([], [])
