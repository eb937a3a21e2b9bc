"""`import fulmen` is quick and changes nothing; its names have signatures that editors and type checkers see."""

import ast
import inspect
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import fulmen

STATE = """
import atexit, json, logging, os, random, signal, sys, threading, warnings
def state():
    return {
        "environment": dict(os.environ), "search path": list(sys.path), "folder": os.getcwd(),
        "warning filters": [str(each) for each in warnings.filters], "showwarning": repr(warnings.showwarning),
        "handlers of the root logger": [repr(each) for each in logging.getLogger().handlers],
        "level of the root logger": logging.getLogger().level, "disabled logging": logging.root.manager.disable,
        "threads": sorted(each.name for each in threading.enumerate()),
        "signals": {number: repr(signal.getsignal(number)) for number in sorted(signal.valid_signals())},
        "hooks": [repr(each) for each in (sys.excepthook, sys.unraisablehook, sys.displayhook)],
        "finders": [repr(each) for each in sys.meta_path if type(each).__name__ != "OldImports"],
        "at exit": atexit._ncallbacks(), "random": random.getstate()[1][0], "recursion": sys.getrecursionlimit(),
        "streams": [id(sys.stdout), id(sys.stderr)],
    }
"""
HEAVY = {"torch", "lightning", "numpy", "pandas", "matplotlib", "hydra", "omegaconf", "optuna", "sklearn", "scipy"}


def in_a_new_process(program):
    done = subprocess.run([sys.executable, "-c", STATE + program], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_importing_fulmen_changes_nothing_and_imports_nothing_heavy():
    found = in_a_new_process("""
before = state()
import fulmen
dir(fulmen), fulmen.__doc__
after = state()
print(json.dumps([[name for name in before if before[name] != after[name]], sorted(sys.modules)]))
""")
    changed, modules = found
    assert changed == []
    assert {name.partition(".")[0] for name in modules} & HEAVY == set()
    assert "logging.config" not in modules


@pytest.mark.slow
def test_a_notebook_goes_on_as_before_when_it_has_called_us(tmp_path):
    """Her backend of matplotlib, her logging, her signal handlers: all as she has set them."""
    changed = in_a_new_process(f"""
import matplotlib, numpy, torch, lightning.pytorch, optuna
matplotlib.use("svg")
logging.basicConfig(level=logging.ERROR)
signal.signal(signal.SIGTERM, lambda *_: None)
warnings.filterwarnings("error", "of hers")
os.chdir({str(tmp_path)!r})
import fulmen
from fulmen import compare, compose, rank, sweep, train  # imported: what these libraries do while imported is theirs
import fulmen.runs.run, fulmen.workloads.pbpk.module, fulmen.workloads.pbpk.data
before = state() | {{"backend": matplotlib.get_backend(), "threads of torch": torch.get_num_threads()}}
tiny = {TINY!r}
fulmen.compose(tiny)
fulmen.train(*tiny, "model.network.hidden=8", "model.network.layers=1")
found = fulmen.sweep(*tiny, "search=random", "search.trials=1", "search.champion_seeds=0")
assert "model.network.hidden" in found.best and list(found.trials["state"]) == ["complete"], found
try:
    fulmen.train(*tiny, "seed=x")
except fulmen.FulmenError:
    pass
after = state() | {{"backend": matplotlib.get_backend(), "threads of torch": torch.get_num_threads()}}
print()
print(json.dumps({{name: [before[name], after[name]] for name in before if before[name] != after[name]}}))
""")
    assert changed == {}


TINY = [
    "experiment=pbpk_mlp", "data.compounds=24", "data.validation_compounds=4", "data.test_compounds=4",
    "trainer.max_epochs=1", "trainer.limit_train_batches=2",
    "trainer.accelerator=cpu", "callbacks.progress=null", "callbacks.summary=null", "logger.tensorboard=null",
    "model.figures=false", "threads=1",
]  # fmt: skip


def test_what_editors_see_is_what_is_there():
    """Names are imported under TYPE_CHECKING, for editors, and by `__getattr__`, where they run."""
    tree = ast.parse(Path(fulmen.__file__).read_text())
    shown = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    seen = {name.name: getattr(import_module(node.module), name.name)
            for node in shown.body if isinstance(node, ast.ImportFrom) for name in node.names}  # fmt: skip
    assert seen == {name: getattr(fulmen, name) for name in fulmen.__all__}


def test_an_editor_completes_names_and_arguments():
    jedi = pytest.importorskip("jedi")
    names = {each.name for each in jedi.Script("import fulmen\nfulmen.").complete(2, 7)}
    assert set(fulmen.__all__) <= names
    (signature,) = jedi.Script("import fulmen\nfulmen.rank(").get_signatures(2, 12)
    assert [each.name for each in signature.params] == list(inspect.signature(fulmen.rank).parameters)
