"""Signals: one line, the right exit code, true words, whatever the moment; nothing that is finished is lost."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers import PBPK

from fulmen.cli import main
from fulmen.config.allow_list import locate
from fulmen.config.check import check_overrides
from fulmen.config.schema import project_root
from fulmen.errors import FulmenError, Interrupted
from fulmen.runs.reading import read_result
from fulmen.runs.result import Result
from fulmen.runs.run import run
from fulmen.runs.status import recorded
from fulmen.signals import NUMBERS, answering, listener, listening
from fulmen.workloads.pbpk.module import PBPKSurrogate


def send(number=signal.SIGINT, times=1):
    for _ in range(times):
        os.kill(os.getpid(), number)


@pytest.fixture(autouse=True)
def handlers_are_given_back():
    before = [signal.getsignal(number) for number in NUMBERS]
    yield
    assert [signal.getsignal(number) for number in NUMBERS] == before
    assert listener() is None


@pytest.mark.parametrize("number", NUMBERS)
def test_the_first_signal_is_raised_or_waits_to_be_looked_at(number):
    with pytest.raises(KeyboardInterrupt) as raised, listening():
        send(number)
    assert raised.value.args == (number,)
    with listening(patient=True) as heard:
        send(number)
        send(number)  # one press, handed on twice
        assert heard.asked == number


def test_inner_blocks_share_the_listener_and_give_words_and_patience_back():
    with listening(lambda: "outer") as outer:
        with listening(lambda: "inner", patient=True) as inner:
            assert inner is outer
            assert (inner.last_words(), inner.patient) == ("inner", True)
            send(signal.SIGTERM)
        assert (outer.last_words(), outer.patient, outer.asked) == ("outer", False, signal.SIGTERM)


def test_a_lost_exception_is_raised_again_where_work_begins():
    def swallows():
        try:
            send()
        except BaseException:
            return

    def works():
        with listening():
            swallows()
            with listening():
                pytest.fail("work has begun")

    with pytest.raises(KeyboardInterrupt):
        works()


def test_an_exception_lost_in_a_destructor_is_not_shown_and_raised_where_work_begins(monkeypatch):
    shown = []
    monkeypatch.setattr(sys, "unraisablehook", shown.append)

    class Swallows:
        def __init__(self, what):
            self.what = what

        def __del__(self):
            self.what()

    def works():
        with listening():
            Swallows(lambda: 1 / 0)
            Swallows(send)
            with listening():
                pytest.fail("work has begun")

    with pytest.raises(KeyboardInterrupt):
        works()
    assert [lost.exc_type for lost in shown] == [ZeroDivisionError]
    assert sys.unraisablehook == shown.append


IN_C = """
import ctypes
run = ctypes.pythonapi.PyRun_String
run.restype, run.argtypes = ctypes.py_object, [ctypes.c_char_p, ctypes.c_int, ctypes.py_object, ctypes.py_object]
run(b"os.kill(os.getpid(), signal.SIGTERM)", 257, globals(), globals())
"""
LOADED = """
import os, signal
try:
    os.kill(os.getpid(), signal.SIGTERM)
except BaseException:
    os.abort()
"""


@pytest.mark.parametrize("where", [IN_C, "import loaded"], ids=["code that C runs", "a module that bears no exception"])
def test_a_program_ends_with_the_exit_code_of_the_signal(where, tmp_path):
    body = "".join(f"    {line}\n" for line in where.strip().splitlines())
    program = f"from fulmen.signals import answering\nwith answering('told'):\n    import os, signal\n{body}"
    (tmp_path / "program.py").write_text(program)
    (tmp_path / "loaded.py").write_text(LOADED)
    done = subprocess.run([sys.executable, "-m", "program"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (143, "\nerror: told\n")


@pytest.mark.parametrize("then", [ImportError("initialization failed"), SystemExit(1), ZeroDivisionError()])
def test_what_follows_from_a_signal_is_no_traceback(then, capsys):
    def works():
        try:
            send(signal.SIGTERM)
        except KeyboardInterrupt:
            raise then from None

    with pytest.raises(SystemExit) as left, answering("stopped; do it again", program=False):
        works()
    assert left.value.code == 143
    assert capsys.readouterr().err == "\nerror: stopped; do it again\n"


@pytest.mark.parametrize("error", [ZeroDivisionError(), FulmenError("x"), SystemExit(2)])
def test_errors_without_a_signal_stay_what_they_are(error):
    with pytest.raises(type(error)), answering(program=False):
        raise error


FOLDERS = {
    "nothing done": (0, False, False, "interrupted before the first step; start it again: python train.py a=1"),
    "steps unsaved": (7, False, False, "interrupted after 7 steps, before anything was saved; start it again"),
    "saved": (7, True, False, "interrupted after 7 steps; last.ckpt holds what was saved of them; go on with: python"),
    "trained": (7, True, True, "interrupted while it was evaluated; go on with: python train.py resume="),
}


@pytest.mark.parametrize("state", FOLDERS)
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_how_it_stands(state, times, number, tmp_path):
    steps, saved, trained, says = FOLDERS[state]
    if saved:
        (tmp_path / "checkpoints").mkdir()
        (tmp_path / "checkpoints" / "last.ckpt").touch()
    trainer, result = SimpleNamespace(is_global_zero=True, global_step=steps, current_epoch=1), Result("x", tmp_path)

    def works():
        result.trained = trained
        send(number, times)

    with pytest.raises(Interrupted, match="interrupted") as told, recorded(result, trainer, ["a=1"]):
        works()
    assert str(told.value).startswith(says)
    assert told.value.exit_code == 128 + number
    assert read_result(tmp_path)["status"] == "interrupted"
    assert read_result(tmp_path)["steps"] == (0 if trained else steps)


PATIENT = """
import os, signal, sys, time
from types import SimpleNamespace
from pathlib import Path
from fulmen.runs.status import recorded
from fulmen.runs.result import Result
from fulmen.signals import answering, listening
folder = Path(sys.argv[1])
with answering(), recorded(Result("x", folder), SimpleNamespace(is_global_zero=True, global_step=5, current_epoch=2)):
    with listening(patient=True):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.7)
        print("goes on")
        os.kill(os.getpid(), signal.SIGTERM)
        print("never")
"""


@pytest.mark.slow
def test_a_later_signal_ends_the_process_at_once_with_true_words(tmp_path):
    found = subprocess.run([sys.executable, "-c", PATIENT, str(tmp_path)], capture_output=True, text=True)
    assert found.returncode == 143
    assert found.stdout == "goes on\n"
    assert found.stderr == "\nerror: interrupted after 5 steps, before anything was saved; start it again\n"
    assert read_result(tmp_path)["status"] == "interrupted"


def catches(pid, number):
    """Whether a process has a handler of its own for this signal, as Linux says it; Python has none of SIGTERM."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"SigCgt:\s*(\w+)", status)[1], 16) >> (number - 1) & 1


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux when a process begins to listen")
@pytest.mark.parametrize(
    ("program", "number", "seconds"),
    [
        (["train.py", "experiment=synthetic_mlp"], signal.SIGINT, 0.1),
        (["train.py", "experiment=synthetic_mlp"], signal.SIGTERM, 1.3),
        (
            ["sweep.py", "experiment=synthetic_mlp", "search.space.model.optimizer.lr={choices:[1e-3,1e-2]}"],
            signal.SIGINT,
            0.8,
        ),
        (["-m", "fulmen.cli", "rank", "sensors"], signal.SIGINT, 0.4),
    ],
    ids=["train", "train later", "sweep", "verb"],
)
def test_a_signal_while_modules_are_loaded_is_one_line(program, number, seconds, tmp_path):
    started = [sys.executable, *program]
    process = subprocess.Popen(started, cwd=project_root(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not catches(process.pid, signal.SIGTERM):
        time.sleep(0.01)
    time.sleep(seconds)
    process.send_signal(number)
    time.sleep(0.05)
    process.send_signal(number)
    error = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + number, error
    assert error.startswith("\nerror: interrupted")
    assert error.count("\n") == 2


VERBS = {
    "runs": (["runs"], "fulmen.runs.index.Index.entries"),
    "diagnose": (["diagnose", "log.csv"], "fulmen.runs.diagnose.diagnose_path"),
    "predict": (["predict", "pump", "in.csv", "-o", "out.csv"], "fulmen.registry.store.Store.find"),
    "models list": (["models", "list"], "fulmen.registry.models.list_models"),
    "models verify": (["models", "verify"], "fulmen.registry.models.verify"),
    "models save": (["models", "save", "x", "--name", "y"], "fulmen.registry.save.save_run"),
    "models gc": (["models", "gc"], "fulmen.registry.models.gc"),
    "compare": (["compare", "a", "b"], "fulmen.comparison.named.find_or_run"),
    "rank": (["rank", "sensors"], "fulmen.comparison.benchmark.rank"),
}


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_ends_with_one_line(verb, number, times, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    line, hook = VERBS[verb]
    monkeypatch.setattr(hook, lambda *_, **__: send(number, times))
    try:
        code = main(line)
    except SystemExit as left:
        code = left.code
    said = capsys.readouterr()
    assert code == 128 + number
    assert said.out == ""
    assert said.err.strip().count("\n") == 0
    assert "interrupted; " in said.err
    assert "the same command" in said.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_comparison_goes_on_with_the_training_it_was_interrupted_in(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tiny = [*PBPK, "trainer.max_epochs=3", "callbacks.progress=null", "callbacks.summary=null",
            "logger.tensorboard=null"]  # fmt: skip
    line = ["compare", "pbpk_mlp model.network.hidden=8", "pbpk_mlp model.network.hidden=16", *tiny]
    steps, step = [], PBPKSurrogate.training_step

    def interrupted_in_the_second(module, batch, place):
        steps.append(len(module.network.state_dict()))
        if len(steps) == 4:
            send()
        return step(module, batch, place)

    monkeypatch.setattr(PBPKSurrogate, "training_step", interrupted_in_the_second)
    assert main(line) == 130
    assert "Go on with: python train.py resume=" in capsys.readouterr().err
    assert len(steps) == 4
    assert main(line) == 0
    assert "going on with outputs/runs/pbpk_mlp/" in capsys.readouterr().out
    assert len(steps) == 6
    assert len(list(tmp_path.glob("outputs/runs/pbpk_mlp/*/result.json"))) == 2


MOMENTS = {  # what is replaced by itself with signals before, on which call, and what is then told
    "data": ("fulmen.workloads.pbpk.data.PBPKData.prepare_data", 1, "before the first step; start it again: python"),
    "setup": (f"{PBPKSurrogate.__module__}.PBPKSurrogate.setup", 1, "before the first step; start it again: python"),
    "first step": (f"{PBPKSurrogate.__module__}.PBPKSurrogate.training_step", 1, "saved "),
    "training": (f"{PBPKSurrogate.__module__}.PBPKSurrogate.training_step", 6, "saved "),
    "validation": (f"{PBPKSurrogate.__module__}.PBPKSurrogate.validation_step", 2, "saved "),
    "last step": (f"{PBPKSurrogate.__module__}.PBPKSurrogate.training_step", 12, "while it was evaluated; go on with"),
    "after training": ("fulmen.runs.run.evaluate", 1, "while it was evaluated; go on with: python"),
    "test": (f"{PBPKSurrogate.__module__}.PBPKSurrogate.test_step", 1, "while it was evaluated; go on with: python"),
    "summary": (f"{PBPKSurrogate.__module__}.PBPKSurrogate.summarize", 1, "while it was evaluated; go on with: python"),
    "report": ("fulmen.runs.evaluation.write_report", 1, "while it was evaluated; go on with: python"),
}
RUN = ["experiment=pbpk_mlp", *PBPK, "data.batch_size=4", "trainer.max_epochs=3", "callbacks.progress=null",
       "callbacks.summary=null", "logger.tensorboard=null"]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_is_interrupted_at_any_moment_and_the_named_command_ends_it(moment, tmp_path, monkeypatch):
    hook, call, says = MOMENTS[moment]
    number, times = ((signal.SIGINT, 2), (signal.SIGTERM, 1))[list(MOMENTS).index(moment) % 2]  # all in make proofs
    original, calls = locate(hook), []
    monkeypatch.setattr("fulmen.runs.evaluation.training_curve", lambda *_: None)  # takes a third of a small run

    def interrupted(*arguments, **named):
        calls.append(1)
        if len(calls) == call:
            send(number, times)
        return original(*arguments, **named)

    typed = [*RUN, f"output_dir={tmp_path / 'run'}"]
    with monkeypatch.context() as patch:
        patch.setattr(hook, interrupted)
        with pytest.raises(Interrupted) as told:
            run(check_overrides(typed), typed)
    assert told.value.exit_code == 128 + number
    assert says in str(told.value)
    assert read_result(tmp_path / "run")["status"] == "interrupted"
    program, *named = shlex.split(re.search(r"python (train\.py .*)$", str(told.value))[1])
    assert program == "train.py"
    result = run(check_overrides(named), named)
    assert (result.status, result.epochs, result.steps) == ("completed", 3, 12)
    assert "test/r2_log" in result.metrics
