"""A run that was ended anywhere, by a signal or by kill -9, and resumed equals one that never was, to the bit.

Ended in the middle of an epoch, at its last batch, in its validation, between training and report, in the report; of
one process and of two; with every kind of schedule; in every experiment. Equal are the weights and the state of the
optimizer, metrics.csv, result.json but for its seconds, and the scalars of TensorBoard as EventAccumulator reads them.
The grid is covered by pairs: every two values of two different dimensions meet in a cell. Each training is a fork of
this process, which has imported everything, and ends itself where the cell says.
"""

import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import combinations, product
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.utilities import rank_zero_only
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import fulmen.runs.assembly
import fulmen.runs.evaluation
import fulmen.runs.run
from benchmarks.proofs import Proof
from fulmen.callbacks.resume import read_checkpoint
from fulmen.config.check import check_overrides
from fulmen.errors import FulmenError

Cell = tuple[str, str, str, str, int]  # experiment, schedule, where, how, ranks
SHARED = [
    "trainer.precision=32-true", "trainer.max_epochs=3", "trainer.limit_train_batches=4", "threads=1",
    "trainer.limit_val_batches=2", "trainer.limit_test_batches=2", "callbacks.summary=null", "callbacks.progress=null",
]  # fmt: skip
IMAGES = ["data.batch_size=8", "model.figures=false", "network=resnet9", "model.network.width=4",
          "callbacks.divergence=null"]  # fmt: skip
PBPK = ["data.compounds=40", "data.validation_compounds=8", "data.test_compounds=8", "data.time_points=20",
        "data.batch_size=2"]  # fmt: skip
STOCKS = ["data.days=500", "data.batch_size=16", "model.figures=false"]
EXPERIMENTS = {
    "pbpk_mlp": [*PBPK, "model.network.times=19"],
    "pbpk_gnn": PBPK,
    "stocks": STOCKS,
    "stocks_fast": STOCKS,
    "images_plain": IMAGES,
    "images_balanced": IMAGES,
    "images_strong": IMAGES,
    "sensors": ["data.machines=8", "data.days=6", "data.batch_size=64", "model.figures=false"],
    "synthetic_mlp": ["data.rows=600", "data.batch_size=32", "model.figures=false"],
}
SCHEDULES = {"none": "null", "plateau": "plateau", "cosine": "cosine", "one_cycle": "one_cycle"}
WHERE = ("in an epoch", "last batch", "validation", "before the report", "report")
HOW = {"signal": signal.SIGTERM, "kill -9": signal.SIGKILL}
RANKS = (1, 2)


def cells() -> list[Cell]:
    """So few that every two values of two dimensions meet, chosen greedily; always the same."""
    every = list(product(EXPERIMENTS, SCHEDULES, WHERE, HOW, RANKS))

    def pairs(cell: Cell) -> set[Any]:
        return set(combinations(enumerate(cell), 2))

    left, chosen = set().union(*map(pairs, every)), []
    while left:
        chosen.append(max(every, key=lambda cell: len(pairs(cell) & left)))
        left -= pairs(chosen[-1])
    return chosen


def settings(experiment: str, schedule: str, ranks: int) -> list[str]:
    several = ["trainer=ddp_cpu"] if ranks > 1 else ["trainer.accelerator=cpu"]
    return [f"experiment={experiment}", f"scheduler={SCHEDULES[schedule]}", *several, *SHARED, *EXPERIMENTS[experiment]]


def main() -> bool:
    proof = Proof(__name__, __doc__, seeds=[42])
    names = {" | ".join(map(str, cell)): cell for cell in cells()}
    with tempfile.TemporaryDirectory() as scratch:
        for name in proof.missing(names):
            began = time.monotonic()
            differences = try_cell(names[name], Path(scratch))
            seconds = round(time.monotonic() - began, 1)
            proof.keep(name, ok=not differences, differences=differences, seconds=seconds)
    return proof.holds()


def try_cell(cell: Cell, scratch: Path) -> list[str]:
    """What differs between a run that was ended and resumed and one that was not."""
    experiment, schedule, where, how, ranks = cell
    typed = settings(experiment, schedule, ranks)
    whole = scratch / f"{experiment}_{schedule}_{ranks}"
    if not (whole / "report.md").exists():
        shutil.rmtree(whole, ignore_errors=True)
        if codes := [code for code in trained([*typed, f"output_dir={whole}"], ranks) if code]:
            return [f"the uninterrupted run ended with {codes}"]
    parts = scratch / "parts"
    shutil.rmtree(parts, ignore_errors=True)
    codes = trained([*typed, f"output_dir={parts}"], ranks, ending(where, HOW[how]))
    ended = {128 + HOW[how], -HOW[how]}
    if not ended & set(codes):
        return [f"it was not ended: exit codes {codes}"]
    if codes := [code for code in trained([f"resume={parts}"], ranks) if code]:
        return [f"the resumed run ended with {codes}"]
    return differences(whole, parts)


def ending(where: str, number: int) -> Callable[[], None]:
    """Lets the training of this process end at a point of its second epoch, or after its last."""

    def end() -> None:
        os.kill(os.getpid(), number)
        time.sleep(0.05)  # a signal is taken between two instructions of Python

    def install() -> None:
        from lightning.pytorch import Callback

        class End(Callback):
            def on_train_batch_start(self, trainer: Any, module: Any, batch: Any, batch_idx: int) -> None:
                if trainer.current_epoch == 1 and (where, batch_idx) in (("in an epoch", 2), ("last batch", 3)):
                    end()

            def on_validation_batch_start(self, trainer: Any, *_: Any) -> None:
                if trainer.current_epoch == 1 and where == "validation":
                    end()

        configured = fulmen.runs.assembly.callbacks
        fulmen.runs.assembly.callbacks = lambda cfg, *ready: [End(), *configured(cfg, *ready)]
        steps = {
            "before the report": (fulmen.runs.run, "evaluate"), "report": (fulmen.runs.evaluation, "write_report"),
        }  # fmt: skip
        for point, (module, name) in steps.items():
            if where == point:
                called = getattr(module, name)
                setattr(module, name, partial(_after, end, called))

    return install


def _after(end: Callable[[], None], call: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """What the call gives, if the process still is there."""
    end()
    return call(*given, **named)


def trained(typed: list[str], ranks: int, change: Callable[[], None] = lambda: None) -> list[int]:
    """Exit codes of the ranks of one run, each a fork of this process; negative: the signal that ended it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    forks = []
    for rank in range(ranks):
        sys.stdout.flush()
        fork = os.fork()
        if fork == 0:
            os._exit(_as_rank(rank, ranks, port, typed, change))
        forks.append(fork)
    codes = []
    for fork in forks:
        codes.append(os.waitstatus_to_exitcode(os.waitpid(fork, 0)[1]))
        if codes[0] < 0 and len(codes) == 1:  # the machine is gone, and all processes on it
            for other in forks[1:]:
                os.kill(other, signal.SIGKILL)
    return codes


def _as_rank(rank: int, ranks: int, port: int, typed: list[str], change: Callable[[], None]) -> int:
    log = os.open(os.devnull, os.O_WRONLY) if "RESUME_GRID_LOG" not in os.environ else 1
    os.dup2(log, 1)
    os.dup2(log, 2)
    if ranks > 1:
        os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(ranks), "NODE_RANK": "0"}
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    rank_zero_only.rank = rank  # known where a process starts; this one is a fork
    torch.set_num_threads(1)
    try:
        change()
        fulmen.runs.run.run(check_overrides(typed), typed)
    except FulmenError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except BaseException:
        import traceback

        traceback.print_exc()
        return 1
    return 0


def differences(whole: Path, parts: Path) -> list[str]:
    """Names of what is not equal to the bit."""
    ends = [read_checkpoint(folder / "checkpoints" / "last.ckpt") for folder in (whole, parts)]
    bests = [read_checkpoint(folder / "checkpoints" / "best.ckpt")["state_dict"] for folder in (whole, parts)]
    pairs = {
        "weights": [end["state_dict"] for end in ends],
        "best weights": bests,
        "optimizer": [end["optimizer_states"] for end in ends],
        "schedule": [end["lr_schedulers"] for end in ends],
        "metrics.csv": [(folder / "metrics.csv").read_text() for folder in (whole, parts)],
        "result.json": [result_of(folder) for folder in (whole, parts)],
        "TensorBoard": [scalars(folder) for folder in (whole, parts)],
    }
    found = [name for name, (one, other) in pairs.items() if not equal(one, other)]
    for name in [name for name in ("result.json", "TensorBoard") if name in found]:
        one, other = pairs[name]
        found += [f"{name}: {key}" for key in {**one, **other} if not equal(one.get(key), other.get(key))]
    left = [path.name for path in parts.rglob(".*")] + [path.name for path in parts.glob("run.lock")]
    return found + [f"left: {name}" for name in left]


def result_of(folder: Path) -> dict[str, Any]:
    """result.json without what is a matter of time and place."""
    result = json.loads((folder / "result.json").read_text())
    result["cost"] = {name: value for name, value in result["cost"].items() if "seconds" not in name}
    return result | {"folder": ""}


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Steps and values of every scalar, as TensorBoard reads them."""
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    return {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def equal(one: Any, other: Any) -> bool:
    """To the bit; NaN equals NaN."""
    if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        return torch.equal(one.nan_to_num(), other.nan_to_num()) and torch.equal(one.isnan(), other.isnan())
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    return one == other or (one != one and other != other)
