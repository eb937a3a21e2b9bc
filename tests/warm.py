"""Processes that start with all imports done: those take six seconds of a core, each time.

Within `warm_processes()` a command of this interpreter is not executed anew: it is forked from a nursery, a process
that has imported fulmen and done nothing else. What comes of it is all that `subprocess.Popen` gives: a process with a
pid of its own, a child of who starts it, with the working directory, environment, streams, session, group and mask of
signals that were asked for and signals at their defaults; its program runs from the first line to the last exit
function. What it starts in turn comes from a nursery of its own. Left out are the imports, other hashes each time, the
command line that `ps` shows, and that Python takes itself apart at the end. A command, or an environment, that only a
new interpreter can follow starts cold, and so do all where there is no Linux.

The child that a nursery forks is given to who asked for it by the rule for orphans: between the two there is a process
that ends at once, while the one who asks is the next "subreaper" above.
"""

import array
import atexit
import builtins
import ctypes
import fcntl
import gc
import importlib
import inspect
import io
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import types
from contextlib import contextmanager, suppress

SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
HIGH = 400  # descriptors that are handed on lie below
READ_AT_START = ("PYTHON", "LC_", "LANG", "OMP_", "MKL_", "MPL", "PYTORCH_")  # names in the environment begin so
FOLLOWED = ("PYTHONPATH", "PYTHONUNBUFFERED")  # by a fork too
NO_MATTER = ("OMP_WAIT_POLICY", "PYTORCH_NVML_BASED_CUDA_CHECK")  # to one thread; set by Lightning itself
IGNORABLE = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
COLD = subprocess.Popen._execute_child


@contextmanager
def warm_processes():
    """Whatever is started by this interpreter starts warm: by this process, and by those that it starts."""
    if sys.platform == "linux":
        subprocess.Popen._execute_child = _execute_child
    try:
        yield
    finally:
        subprocess.Popen._execute_child = COLD


def _execute_child(self, *positional, **named):
    """In the place of `subprocess.Popen._execute_child`."""
    asked = inspect.signature(COLD).bind(self, *positional, **named).arguments
    task = _task(asked)
    if task is None:
        return COLD(self, *positional, **named)
    pipes = [asked[name] for name in ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")]
    streams = [end if end != -1 else own for own, end in enumerate((pipes[0], pipes[3], pipes[5]))]
    self.pid = _Nursery.born(task, [*streams, *asked["pass_fds"]])
    self._child_created = True
    self._close_pipe_fds(*pipes)


def _task(asked):
    """What a fork is to do in the place of a new interpreter; None if it could not."""
    words = asked["args"] if isinstance(asked["args"], str | bytes | os.PathLike) else [*map(os.fspath, asked["args"])]
    environment = dict(os.environ if asked["env"] is None else asked["env"])
    cwd = os.path.abspath(asked["cwd"] or ".")
    plain = not (asked["shell"] or asked["preexec_fn"] or asked["executable"]) and asked["close_fds"]
    plain = plain and asked["uid"] is None and asked["gid"] is None and asked["gids"] is None
    if not plain or isinstance(words, str | bytes) or words[0] != sys.executable or not os.path.isdir(cwd):
        return None
    options = [word for word in words[1:3] if word in ("-P", "-u")]
    rest = words[1 + len(options) :]
    if not rest or (rest[0].startswith("-") and rest[0] not in ("-m", "-c")) or _read_at_start(environment) != START:
        return None
    return {
        "words": words, "options": options, "rest": rest, "environment": environment, "cwd": cwd,
        "pass_fds": [int(each) for each in asked["pass_fds"]], "umask": asked["umask"],
        "session": asked["start_new_session"],
        "group": os.getpgrp() if asked["process_group"] in (-1, None) else asked["process_group"],
        "mask": [int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
        "ignored": [int(number) for number in IGNORABLE if signal.getsignal(number) is signal.SIG_IGN],
    }  # fmt: skip


def _read_at_start(environment):
    return {k: v for k, v in environment.items() if k.startswith(READ_AT_START) and k not in FOLLOWED + NO_MATTER}


START = _read_at_start(os.environ)


class _Nursery:
    """The nursery of this process, by the socket that it is asked through."""

    lock = threading.RLock()
    asked = None

    @classmethod
    def begin(cls):
        """A new interpreter that imports all there is."""
        ours, theirs = socket.socketpair()
        code = f"import sys; sys.path.insert(0, {os.path.dirname(__file__)!r}); "
        code += f"import warm; warm.nursery({theirs.fileno()})"
        cls.process = subprocess.Popen(
            [sys.executable, "-s", "-c", code], pass_fds=[theirs.fileno()], process_group=0,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        theirs.close()
        cls.asked = ours

    @classmethod
    def born(cls, task, descriptors):
        """The pid of a new child of this process."""
        with cls.lock:
            if cls.asked is None:
                cls.begin()
            body = json.dumps(task).encode()
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
            prctl = ctypes.CDLL(None).prctl
            prctl(SUBREAPER, 1, 0, 0, 0)
            try:
                cls.asked.sendmsg([len(body).to_bytes(4, "big")], [rights])
                cls.asked.sendall(body)
                return int.from_bytes(_exactly(cls.asked, 4), "big")
            finally:
                prctl(SUBREAPER, 0, 0, 0, 0)

    @classmethod
    def within(cls):
        """Begin one that is forked from this process, which has done nothing yet; in the nursery this returns never."""
        ours, theirs = socket.socketpair()
        if os.fork() == 0:
            os.setpgid(0, 0)
            null = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(null, stream)
            theirs = socket.socket(fileno=_high(theirs.detach()))
            os.closerange(3, theirs.fileno())
            os.closerange(theirs.fileno() + 1, 2 * HIGH)
            _serve(theirs)
        cls.asked = socket.socket(fileno=_high(ours.detach()))
        theirs.close()


def nursery(descriptor):
    """Be the first nursery: `descriptor` is the socket that it is asked through."""
    signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())
    import fulmen

    for module in pkgutil.walk_packages(fulmen.__path__, "fulmen."):
        if not module.name.endswith("__main__"):
            with suppress(ImportError):  # of an extra that is not installed
                importlib.import_module(module.name)
    sys.path[:] = sys.path[2 + len(_python_path()) :]  # this folder, that of the code, and those of the environment
    subprocess.Popen._execute_child = _execute_child  # of those that come of this one
    _serve(socket.socket(fileno=descriptor))


def _serve(asked):
    gc.collect()
    gc.freeze()
    while True:
        size, rights, *_ = asked.recvmsg(4, socket.CMSG_SPACE(4 * 64), socket.MSG_WAITALL)
        if not size:
            os._exit(0)
        descriptors = array.array("i", rights[0][2])
        task = json.loads(_exactly(asked, int.from_bytes(size, "big")))
        ready, told = os.pipe()
        between = os.fork()
        if between == 0:
            between = os.getpid()
            if pid := os.fork():
                os.write(told, pid.to_bytes(4, "big"))
                os._exit(0)
            while os.getppid() == between:
                time.sleep(0.0005)
            asked.close()
            _become(task, descriptors, told)
        os.waitpid(between, 0)
        for each in (told, *descriptors):
            os.close(each)
        pid = os.read(ready, 4)
        os.read(ready, 1)  # it is what was asked for, or was killed before
        os.close(ready)
        asked.sendall(pid)


def _become(task, descriptors, told):
    """Be the process that was asked for."""
    os.setsid() if task["session"] else os.setpgid(0, task["group"])
    high = [_high(each) for each in descriptors]
    told = _high(told)
    os.closerange(0, HIGH)
    for target, each in zip([0, 1, 2, *task["pass_fds"]], high, strict=True):
        os.dup2(each, target, inheritable=True)
        os.close(each)
    _Nursery.within()
    os.chdir(task["cwd"])
    if task["umask"] >= 0:
        os.umask(task["umask"])
    os.environ.clear()
    os.environ.update(task["environment"])
    for number in task["ignored"]:
        signal.signal(number, signal.SIG_IGN)
    os.write(told, b".")
    os.close(told)
    signal.pthread_sigmask(signal.SIG_SETMASK, task["mask"])
    _at_the_start(task)
    try:
        code = _ended(task["rest"])
        threading._shutdown()
        atexit._run_exitfuncs()
        sys.stdout.flush()
    except BaseException:  # of a thread, or of a stream that nobody reads any more
        sys.excepthook(*sys.exc_info())
        code = 120
    os._exit(code)


def _at_the_start(task):
    """What a new interpreter finds in its environment."""
    bare = "PYTHONUNBUFFERED" in os.environ or "-u" in task["options"]
    sys.stdin = sys.__stdin__ = open(0, encoding=sys.stdin.encoding, errors=sys.stdin.errors, closefd=False)  # noqa: SIM115
    for name, number in (("stdout", 1), ("stderr", 2)):
        raw, before = io.FileIO(number, "w", closefd=False), getattr(sys, name)
        stream = io.TextIOWrapper(
            raw if bare else io.BufferedWriter(raw), before.encoding, before.errors, write_through=bare,
            line_buffering=not bare and (number == 2 or raw.isatty()),
        )  # fmt: skip
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    flags = {name: getattr(sys.flags, name) for name in dir(sys.flags) if not name.startswith(("_", "n_"))}
    sys.flags = types.SimpleNamespace(**flags | {"safe_path": "-P" in task["options"]})
    sys.orig_argv = task["words"]
    sys.path[:0] = _python_path()
    importlib.invalidate_caches()
    tempfile.tempdir = None  # looked for in the environment at its first use
    import numpy as np
    from lightning.fabric.utilities import rank_zero

    np.random.seed()  # noqa: NPY002
    rank_zero.rank_zero_only.rank = rank_zero._get_rank() or 0  # found out when Lightning is imported


def _python_path():
    return [os.path.abspath(place) for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place]


def _ended(words):
    """The exit code of a program that has been run."""
    try:
        _run(words)
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return (error.code or 0) & 255
        print(error.code, file=sys.stderr)
        return 1
    except BaseException as error:
        sys.excepthook(*sys.exc_info())
        if isinstance(error, KeyboardInterrupt):
            sys.stdout.flush()
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        return 1
    return 0


def _run(words):
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    main.__builtins__ = builtins
    first, *_ = words
    place = {"-c": "", "-m": os.getcwd()}.get(first, os.path.dirname(os.path.realpath(first)))
    if not sys.flags.safe_path:
        sys.path.insert(0, place)
    if first == "-m":
        sys.argv[:] = ["-m", *words[2:]]
        sys.modules.pop(words[1], None) if "." in words[1] else None
        return runpy._run_module_as_main(words[1])
    sys.argv[:] = ["-c", *words[2:]] if first == "-c" else words
    if first == "-c":
        text, name = words[1], "<string>"
    else:
        name = main.__file__ = os.path.abspath(first)
        with open(name, "rb") as file:
            text = file.read()
    exec(compile(text, name, "exec"), vars(main))


def _high(descriptor):
    """The same, at a number above those that are handed on; the given one is closed."""
    found = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, HIGH)
    os.close(descriptor)
    return found


def _exactly(asked, size):
    found = b""
    while len(found) < size:
        part = asked.recv(size - len(found))
        if not part:
            raise EOFError("the nursery has ended")
        found += part
    return found
