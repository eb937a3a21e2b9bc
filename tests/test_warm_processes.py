"""A process that starts warm finds what one finds that starts cold, and ends as it does: the oracle is the cold one."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
import warm

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="processes start warm on Linux")]
SURROUNDINGS = """
import json, os, signal, sys, tempfile
own, group, session = os.getpid(), os.getpgrp(), os.getsid(0)
print(json.dumps({
    "argv": sys.argv, "orig_argv": sys.orig_argv, "path": sys.path, "cwd": os.getcwd(), "name": __name__,
    "file": globals().get("__file__"), "main": sys.modules["__main__"].__dict__ is globals(),
    "environment": dict(os.environ), "temporary": tempfile.gettempdir(),
    "safe": sys.flags.safe_path, "umask": os.umask(0),
    "parent": os.getppid(), "group": "own" if group == own else group, "session": "own" if session == own else session,
    "mask": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "ignored": [n for n in signal.valid_signals() if signal.getsignal(n) is signal.SIG_IGN],
    "interrupt": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
    "streams": [(s.encoding, s.errors, s.line_buffering) for s in (sys.stdin, sys.stdout, sys.stderr)],
    "unbuffered": [s.write_through for s in (sys.stdout, sys.stderr)], "typed": sys.stdin.read(),
    "descriptors": sorted(int(n) for n in os.listdir("/proc/self/fd") if int(n) < 300),
}))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("programs")
    (place / "program.py").write_text(SURROUNDINGS)
    (place / "package").mkdir()
    (place / "package" / "__main__.py").write_text(SURROUNDINGS)
    return place


def both(words, env=os.environ, **options):
    """What a program says of its surroundings, started cold and started warm."""
    options |= {"capture_output": True, "text": True, "input": "something typed", "check": True, "env": dict(env)}
    command = [sys.executable, *words]
    cold = subprocess.run(command, **options)
    with warm.warm_processes():
        return [json.loads(done.stdout) for done in (cold, subprocess.run(command, **options))]


@pytest.mark.parametrize(
    "words",
    [["-c", SURROUNDINGS, "a", "-b"], ["-P", "-c", SURROUNDINGS], ["program.py", "x=1"], ["-m", "program", "x"],
     ["-P", "program.py"], ["-m", "package", "--help"], ["-u", "-c", SURROUNDINGS]],
    ids=["code", "safe code", "file", "module", "safe file", "package", "unbuffered"],
)  # fmt: skip
def test_a_program_finds_the_same_warm_as_cold(words, folder):
    cold, found = both(words, cwd=folder)
    assert found == cold


@pytest.mark.parametrize(
    "options",
    [{"start_new_session": True}, {"process_group": 0}, {"umask": 0o077},
     {"env": {"PYTHONPATH": "/some/where:here", "A": "b"}}, {"env": {"PYTHONUNBUFFERED": "1"}},
     {"env": {"TMPDIR": os.path.dirname(__file__)}}],
    ids=lambda options: next(iter(options)),
)  # fmt: skip
def test_what_popen_is_asked_for_is_found(options, folder):
    if "env" in options:
        options = {"env": warm.START | options["env"]}
    cold, found = both(["-c", SURROUNDINGS], cwd=folder, **options)
    assert found == cold


def test_masks_ignored_signals_and_descriptors_are_handed_on(folder):
    read, write = os.pipe()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR1])
    handler = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        cold, found = both(["-c", f"import os; os.write({write}, b'!');{SURROUNDINGS}"], cwd=folder, pass_fds=[write])
    finally:
        signal.signal(signal.SIGHUP, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    os.close(write)
    assert found == cold
    assert cold["mask"] == [signal.SIGUSR1, signal.SIGTERM]
    assert os.read(read, 10) == b"!!"
    os.close(read)


ENDS = {
    "code": "sys.exit(3)",
    "words": "sys.exit('no')",
    "error": "1 / 0",
    "interrupted": "os.kill(os.getpid(), signal.SIGINT); time.sleep(9)",
    "terminated": "os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)",
    "killed": "os.kill(os.getpid(), signal.SIGKILL); time.sleep(9)",
    "at once": "os._exit(5)",
    "at its end": "atexit.register(print, 'last'); threading.Timer(0.1, print, ['first']).start()",
    "closed": "os.close(1); print('nobody reads this')",
}


@pytest.mark.parametrize("end", ENDS)
def test_it_ends_as_a_cold_one_does(end):
    command = [sys.executable, "-c", f"import atexit, os, signal, sys, threading, time; print('begun'); {ENDS[end]}"]
    cold = subprocess.run(command, capture_output=True, text=True)
    with warm.warm_processes():
        done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (cold.returncode, cold.stdout)
    assert done.stderr.splitlines()[-1:] == cold.stderr.splitlines()[-1:]


def test_it_has_its_imports_done_and_so_has_what_it_starts():
    import lightning.pytorch  # noqa: F401  # which changes the environment

    code = textwrap.dedent("""
        import os, subprocess, sys
        tell = "import os, sys; print('torch' in sys.modules, os.getppid())"
        told = subprocess.run([sys.executable, "-c", tell], capture_output=True, text=True).stdout
        print("lightning" in sys.modules, told.split() == ["True", str(os.getpid())])
    """)
    with warm.warm_processes():
        assert subprocess.check_output([sys.executable, "-c", code], text=True) == "True True\n"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False False\n"


def test_what_only_a_new_interpreter_can_follow_starts_cold(monkeypatch):
    code = "import sys; print('torch' in sys.modules)"
    with warm.warm_processes():
        assert subprocess.check_output([sys.executable, "-I", "-S", "-c", code], text=True) == "False\n"
        monkeypatch.setenv("OMP_NUM_THREADS", "3")
        assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"


def test_one_whose_starter_is_killed_has_another_parent_as_ever(tmp_path):
    child = f"import os, time; open({str(tmp_path / 'first')!r}, 'w').write(str(os.getppid())); time.sleep(60)"
    code = f"import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', {child!r}]); "
    code += "print(child.pid, flush=True); time.sleep(60)"
    with warm.warm_processes():
        starter = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        pid = int(starter.stdout.readline())
        starter.stdout.close()
        end = time.monotonic() + 30
        while not (tmp_path / "first").exists() or not (tmp_path / "first").read_text():
            assert time.monotonic() < end
            time.sleep(0.01)
        starter.kill()
        starter.wait()
    assert (tmp_path / "first").read_text() == str(starter.pid)
    with open(f"/proc/{pid}/stat") as file:
        state, parent, *_ = file.read().rpartition(")")[2].split()
    assert state in "RS"
    assert int(parent) not in (starter.pid, os.getpid())
    os.kill(pid, signal.SIGKILL)
