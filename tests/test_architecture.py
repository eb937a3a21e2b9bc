"""Which room may know which: arrows run down, and a look at all imports, those inside functions too, says so."""

import ast
import re
from pathlib import Path

import pytest

import fulmen

SOURCE = Path(fulmen.__file__).parent
FLOORS = [  # a room imports rooms above its own line alone, and nothing of its own line
    {"errors", "lightning_private", "optim"},
    {"diagnosis", "migrations", "signals", "utils"},
    {"config"},
    {"distributed", "io"},
    {"report"},
    {"data", "launch"},
    {"workload"},
    {"callbacks"},
    {"workloads", "runs"},
    {"registry"},
    {"search"},
    {"comparison", "entrypoints", "scaffold"},
    {"serve"},
    {"cli", "testing"},
    {"fulmen", "__main__"},  # the package itself: the public names, and `python -m fulmen`
]
CONFIGURED_BY_HYDRA = {"comparison/multirun.py"}  # a callback of Hydra's public interface: the table after a multirun
FIRST_IMPORTED = [  # on the way to the first message: whoever mistypes waits for these alone
    "__init__", "errors", "entrypoints", "utils.files", "utils.threads",
    *(f"config.{name}" for name in ("check", "help", "mistakes", "overrides", "schema")),
]  # fmt: skip


def modules():
    """Dotted name -> file, of every module of the package."""
    named = {}
    for path in SOURCE.rglob("*.py"):
        parts = path.relative_to(SOURCE.parent).with_suffix("").parts
        named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return named


MODULES = modules()


def imports(path):
    """Every dotted name that a file imports, wherever in the file it does."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.update([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
    return names


IMPORTS = {name: imports(path) for name, path in MODULES.items()}


def room(module):
    """`config` for `fulmen.config.check`, `cli` for `fulmen.cli`."""
    return module.split(".")[1] if "." in module else "fulmen"


def arrows():
    """(module, imported module) for every import within the package."""
    for module, names in IMPORTS.items():
        for name in names:
            while name and name not in MODULES:
                name = name.rpartition(".")[0]
            if name and name not in ("fulmen", module):
                yield module, name


def test_every_import_between_rooms_points_down():
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    unplaced = {room(module) for module in MODULES} - floor.keys()
    assert not unplaced, f"rooms without a place in FLOORS: {sorted(unplaced)}"
    upward = [f"{a} imports {b}" for a, b in arrows() if room(a) != room(b) and floor[room(a)] <= floor[room(b)]]
    assert upward == []


def test_no_files_import_each_other_in_a_circle():
    below = {module: set() for module in MODULES}
    for module, name in arrows():
        below[module].add(name)
    while leaves := [module for module, names in below.items() if not names]:
        below = {module: names.difference(leaves) for module, names in below.items() if module not in leaves}
    assert below == {}


def test_there_are_few_rooms():
    assert len({room(module) for module in MODULES} - FLOORS[-1]) <= 25


def test_nothing_outside_a_workload_imports_it():
    for module, name in arrows():
        if name.startswith("fulmen.workloads."):
            assert module.startswith(".".join(name.split(".")[:3])), f"{module} imports {name}"


def test_hydra_is_known_in_its_room_alone():
    for module, names in IMPORTS.items():
        place = MODULES[module].relative_to(SOURCE).as_posix()
        if room(module) != "config" and place not in CONFIGURED_BY_HYDRA:
            assert not {name for name in names if name.split(".")[0] == "hydra"}, module


def private_names(path):
    """Names with a leading underscore that a file imports from Lightning, and those of the attributes it reads."""
    imported, attributes = set(), set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("lightning"):
            imported.update([*node.module.split("."), *(alias.name for alias in node.names)])
        elif isinstance(node, ast.Attribute):
            attributes.add(node.attr)
    return [{name for name in names if re.match("_[^_]", name)} for names in (imported, attributes)]


def test_private_parts_of_lightning_are_known_in_one_file_alone():
    known = SOURCE / "lightning_private.py"
    parts = private_names(known)[1]
    assert "_results" in parts
    for path in SOURCE.rglob("*.py"):
        imported, attributes = private_names(path)
        if path != known:
            assert imported == set(), path
            assert attributes & parts == set(), path


def test_networks_know_nothing_of_lightning():
    for module, names in IMPORTS.items():
        assert not {name for name in names if name.startswith("pytorch_lightning")}, f"{module}: lightning.pytorch"
        if ".networks" in module and module != "fulmen.workloads.sensors.networks.batched_fit":
            assert not {name for name in names if name.startswith("lightning")}, module


def test_a_workload_has_a_file_of_data_and_one_of_its_module():
    for folder in (SOURCE / "workloads").iterdir():
        if (folder / "__init__.py").exists():
            assert {"data.py", "module.py"} <= {path.name for path in folder.iterdir()}, folder.name


@pytest.mark.parametrize("name", FIRST_IMPORTED)
def test_what_a_mistake_waits_for_is_cheap_to_import(name):
    path = SOURCE / f"{name.replace('.', '/')}.py"
    statements = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
    found = {node.module if isinstance(node, ast.ImportFrom) else node.names[0].name for node in statements}
    assert not {name.split(".")[0] for name in found} & {"torch", "lightning", "numpy", "matplotlib", "optuna"}
