"""Who may know whom: the rules that keep the rooms apart."""

import ast
from pathlib import Path

import pytest

import fulmen

SOURCE = Path(fulmen.__file__).parent
WORKLOADS = sorted(path.name for path in (SOURCE / "workloads").iterdir() if (path / "__init__.py").exists())
FILES = sorted(SOURCE.rglob("*.py"))
HYDRA = {
    "composing.py",  # composes
    "config.py",  # changes what is composed, and instantiates
    "overrides.py",  # reads what was typed
    "translation.py",  # puts Hydra's complaints into the user's terms
    "ranking.py",  # a callback of Hydra's public interface: the table after a multirun
}


def imports(path):
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_rooms_know_only_whom_they_may(path):
    room = path.relative_to(SOURCE).parts
    for name in imports(path):
        if name.startswith("fulmen.workloads."):
            assert room[0] == "workloads", f"{name}: nothing outside workloads/ imports a workload"
            assert name.split(".")[2] == room[1], f"{name}: workloads never import each other"
        if name.split(".")[0] == "hydra":
            assert path.name in HYDRA, f"{name}: only config.py knows Hydra"
        if path.name == "networks.py":
            assert not name.startswith("lightning"), f"{name}: networks know nothing of Lightning"
        assert not name.startswith("pytorch_lightning"), f"{name}: import lightning.pytorch"


def test_workloads_keep_the_contract_of_names():
    for workload in WORKLOADS:
        files = {path.name for path in (SOURCE / "workloads" / workload).iterdir()}
        assert {"data.py", "module.py"} <= files, workload


def test_importing_the_package_is_cheap():
    for name in (
        "__init__",
        "errors",
        "files",
        "threads",
        "mistakes",
        "usage",
        "commandline",
        "config",
        "overrides",
        "schema",
    ):
        heavy = {"torch", "lightning", "numpy", "matplotlib", "optuna"}
        tops = {
            node
            for statement in ast.parse((SOURCE / f"{name}.py").read_text()).body
            for node in ([alias.name for alias in statement.names] if isinstance(statement, ast.Import) else [])
            + ([statement.module] if isinstance(statement, ast.ImportFrom) else [])
        }
        assert not {top.split(".")[0] for top in tops} & heavy, name
