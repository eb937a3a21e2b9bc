"""The process that runs one job: `python -m fulmen.launch.supervisor FOLDER SLOT GPU PROGRAM...`.

It holds the job's lock, starts the work, hands it the lock too, and writes down how it ended; that is all, so that it
starts in a moment and nothing can go wrong in it. It lives in a session of its own and needs nobody: not the server
that has started it, nor its terminal. Of several of one job the first runs it, the others leave.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from fulmen.distributed.process_identity import owner, started
from fulmen.errors import FulmenError
from fulmen.launch.record import JOB, LOG, Attempt, Job, held, now, read_attempt, read_job, write

POLL = 0.2  # seconds between two looks at what is wanted
FULL = 600  # seconds that a full disk is given to take how the work ended
HERE = Path()  # the job's folder, followed where somebody moves it


def main(arguments: list[str]) -> int:
    """Run the attempt that is wanted; 0 also where another process has taken it, or nobody wants it any more."""
    folder, slot, gpu, *program = arguments
    try:
        os.chdir(folder)
        with held(HERE) as lock:
            return run_once(int(slot), gpu or None, program, lock) if lock is not None else 0
    except OSError as error:
        print(f"error: {folder}: {error.strerror}", file=sys.stderr, flush=True)
        return FulmenError.exit_code


def run_once(slot: int, gpu: str | None, program: list[str], lock: int) -> int:
    """Run the attempt that is wanted if nobody has taken it yet; with the lock held."""
    job, before = read_job(HERE), read_attempt(HERE)
    if job is None or job.wanted != "run" or (before and before.attempt >= job.attempt):
        return 0
    attempt = Attempt(job.attempt, **owner(), slot=slot, gpu=gpu, began=now())
    try:
        write(HERE, attempt)
    except FulmenError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return error.exit_code
    tell(run(job, attempt, program, lock))
    return 0


def run(job: Job, attempt: Attempt, program: list[str], lock: int) -> Attempt:
    """Start the work and wait for its end."""
    with open(HERE / LOG, "ab") as log:
        if job.attempt > 1:
            log.write(f"\n--- attempt {job.attempt}, {attempt.began} ---\n".encode())
            log.flush()
        begins = log.tell()
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        if attempt.gpu is not None:
            environment["CUDA_VISIBLE_DEVICES"] = attempt.gpu
        try:
            work = subprocess.Popen(
                [*program, *job.command], cwd=job.cwd, env=environment, pass_fds=[lock],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0,
            )  # fmt: skip
        except OSError as error:
            reason = f"cannot be started: {error.strerror}: {error.filename}"
            return replace(attempt, ended=now(), exit_code=127, message=reason)
    attempt = replace(attempt, work={"pid": work.pid, "started": started(work.pid)})
    with suppress(FulmenError):  # a full disk is the work's own matter
        write(HERE, attempt)
    code = waited_for(work)
    return replace(attempt, ended=now(), exit_code=code, message="" if code == 0 else last_word(begins))


def waited_for(work: subprocess.Popen[bytes]) -> int:
    """Its exit code; it is asked to stop once, and killed, when that is wanted."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: work.send_signal(number))
    ended = threading.Event()

    def wait() -> None:
        work.wait()
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    looked_at, done = None, "run"
    while not ended.wait(POLL):
        with suppress(OSError):
            changed = os.stat(HERE / JOB).st_mtime_ns
            job = read_job(HERE) if changed != looked_at else None
            looked_at = changed
            if job and job.wanted != done:
                done = job.wanted
                with suppress(ProcessLookupError):
                    work.terminate() if done == "cancel" else os.killpg(work.pid, signal.SIGKILL)
    return work.wait()


def last_word(begins: int, most: int = 65536) -> str:
    """What the attempt that began at this byte of the log says of its end: its last complaint, else its last line."""
    with suppress(OSError), open(HERE / LOG, "rb") as log:
        log.seek(max(begins, os.fstat(log.fileno()).st_size - most))
        lines = log.read().decode(errors="replace").strip().splitlines()
        said = next((line for line in reversed(lines) if line.startswith("error: ")), lines[-1] if lines else "")
        return said.removeprefix("error: ")[:500]
    return ""


def tell(attempt: Attempt) -> None:
    """Write down how it ended, as soon as the disk takes it; a folder that was deleted wants to know nothing."""
    end = time.monotonic() + FULL
    while os.path.exists(JOB) and time.monotonic() < end:
        try:
            return write(HERE, attempt)
        except FulmenError:
            time.sleep(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
