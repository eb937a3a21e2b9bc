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
        "log handlers": {name: [[repr(handler) for handler in log.handlers], log.level, log.propagate]
                         for name, log in logging.root.manager.loggerDict.items()
                         if isinstance(log, logging.Logger) and (log.handlers or log.level)},
    }
"""
OF_LIBRARIES = """
def state_of_libraries():
    backends = torch.backends
    return {
        "threads of torch": torch.get_num_threads(), "backend": matplotlib.get_backend(),
        "rcParams": str(dict(matplotlib.rcParams)),
        "random states": [hash(torch.get_rng_state().numpy().tobytes()), hash(str(numpy.random.get_state())),
                          hash(random.getstate())],
        "switches": [
            torch.are_deterministic_algorithms_enabled(), backends.cudnn.benchmark, backends.cudnn.deterministic,
            backends.cudnn.allow_tf32, torch.get_float32_matmul_precision(), torch.is_grad_enabled(),
            str(torch.get_default_dtype()), torch.is_anomaly_enabled(), torch.is_autocast_enabled("cpu"),
        ],
        "words of optuna": optuna.logging.get_verbosity(),
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
    changed = in_a_new_process(
        OF_LIBRARIES
        + f"""
import matplotlib, numpy, torch, lightning.pytorch, optuna, arch
matplotlib.use("svg")
numpy.random.seed(1), random.seed(2), torch.manual_seed(3), torch.set_num_threads(2)
logging.getLogger("lightning.pytorch").addHandler(logging.StreamHandler())
logging.basicConfig(level=logging.ERROR)
signal.signal(signal.SIGTERM, lambda *_: None)
warnings.filterwarnings("error", "of hers")
os.chdir({str(tmp_path)!r})
import fulmen
from fulmen import compare, compose, rank, sweep, train  # imported: what these libraries do while imported is theirs
import fulmen.runs.run, fulmen.workloads.pbpk.module, fulmen.workloads.pbpk.data
before = state() | state_of_libraries()
tiny = {TINY!r}
fulmen.compose(tiny)
first = fulmen.train(*tiny, "model.network.hidden=8", "model.network.layers=1")
second = fulmen.train(*tiny, "trainer.deterministic=true", "model.network.hidden=4")
fulmen.compare(first, second)
fulmen.diagnose(train=[1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2], val=[1.0, 0.8, 0.7, 0.8, 0.9, 1.1, 1.3])
fulmen.rank("sensors", "network=mlp", "data.machines=8", "data.days=15", "trainer.max_epochs=1", folds=2)
fulmen.runs(), first.curves(), first._repr_html_(), first.model
found = fulmen.sweep(*tiny, "search=random", "search.trials=1", "search.champion_seeds=0")
assert "model.network.hidden" in found.best and list(found.trials["state"]) == ["complete"], found
try:
    fulmen.train(*tiny, "seed=x")
except fulmen.FulmenError:
    pass
after = state() | state_of_libraries()
print()
print(json.dumps({{name: [before[name], after[name]] for name in before if before[name] != after[name]}}))
"""
    )
    assert changed == {}


@pytest.mark.slow
def test_the_first_call_leaves_its_process_as_it_was(tmp_path):
    """What libraries change while they are imported is put back too, and their warnings about widgets are not shown."""
    shown = in_a_new_process(f"""
sys.modules["ipywidgets"] = None
os.chdir({str(tmp_path)!r})
def everything():
    return {{name: value for name, value in state().items() if name not in ("at exit", "search path", "finders")}} | {{
        "random state": hash(random.getstate())}}
before = everything()
import fulmen
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    fulmen.train(*{TINY!r}, "model.network.hidden=8", "model.network.layers=1")
    fulmen.sweep(*{TINY!r}, "search=random", "search.trials=1", "search.champion_seeds=0")
after = everything()
print()
print(json.dumps([{{name: [before[name], after[name]] for name in before if before[name] != after[name]}},
                  [str(each.message) for each in caught]]))
""")
    assert shown == [{}, []]


@pytest.mark.slow
def test_trainings_one_after_the_other_leave_no_memory_behind(tmp_path):
    """Of 8 trainings in a process, from the fourth on: what lives in it, and what it takes of the machine."""
    lives, megabytes = in_a_new_process(f"""
import gc, os
from pathlib import Path
os.chdir({str(tmp_path)!r})
import fulmen
lives, megabytes = [], []
for _ in range(8):
    fulmen.train(*{TINY!r}, "model.network.hidden=8", "model.network.layers=1")
    gc.collect()
    lives.append(len(gc.get_objects()))
    megabytes.append(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6)
print()
print(json.dumps([lives[3:], megabytes[3:]]))
""")
    assert (lives[-1] - lives[0]) / (len(lives) - 1) < 500  # of 600,000; one training makes 100,000
    assert megabytes[-1] - megabytes[0] < 10


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
    there = {name: getattr(fulmen, name) for name in fulmen.__all__}
    assert seen.pop("runs").__module__ == "fulmen.runs.table"
    assert there.pop("runs") is sys.modules["fulmen.runs"], "a room that can be called"
    assert seen == there


def test_an_editor_completes_names_and_arguments():
    jedi = pytest.importorskip("jedi")
    names = {each.name for each in jedi.Script("import fulmen\nfulmen.").complete(2, 7)}
    assert set(fulmen.__all__) <= names
    (signature,) = jedi.Script("import fulmen\nfulmen.rank(").get_signatures(2, 12)
    assert [each.name for each in signature.params] == list(inspect.signature(fulmen.rank).parameters)
