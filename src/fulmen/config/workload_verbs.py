"""Which workloads bring commands of their own, told from the source of their models: nothing is imported."""

import ast
from contextlib import suppress

from fulmen.config.choice_files import read_choice
from fulmen.config.places import workloads
from fulmen.config.signature_index import Stale, module_of, source_of


def with_verbs() -> list[str]:
    """The shipped workloads whose model has `verbs`, and those of the project at hand, which may inherit them."""
    return [name for name in workloads() if _may_have(name)]


def verb_names(workload: str) -> list[str]:
    """What a workload's `verbs` gives names to, as far as its source says; [] for a model of another package."""
    target = read_choice("model", workload)[1].get("_target_")
    if not (isinstance(target, str) and target.startswith("fulmen.")):
        return []
    with suppress(Stale, OSError, SyntaxError):
        whole = ast.parse(source_of(module_of(target)[0]).read_text(encoding="utf-8"))
        hooks = [node for node in ast.walk(whole) if isinstance(node, ast.FunctionDef) and node.name == "verbs"]
        tables = [node for hook in hooks for node in ast.walk(hook) if isinstance(node, ast.Dict)]
        return [key.value for table in tables for key in table.keys
                if isinstance(key, ast.Constant) and isinstance(key.value, str)]  # fmt: skip
    return []


def _may_have(workload: str) -> bool:
    target = read_choice("model", workload)[1].get("_target_")
    if isinstance(target, str) and target.startswith("fulmen."):
        with suppress(Stale):
            return "def verbs(" in source_of(module_of(target)[0]).read_text(encoding="utf-8")
    return True
