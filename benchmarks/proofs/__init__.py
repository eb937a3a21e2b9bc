"""Evidence that takes too long for the tests. Every module beside this file is a proof: `make proofs`, or
`make proofs ARGS="resume_grid"` for one. A second start does only what is missing or was shown for other code.

To add one, write `benchmarks/proofs/<name>.py`; the first line of its docstring is its claim:

    from benchmarks.proofs import Proof

    def main() -> bool:
        proof = Proof(__name__, __doc__, seeds=[1, 2, 3])
        for cell in proof.missing(["sensors kill -9 mid-epoch", "stocks SIGTERM mid-epoch"]):
            same, steps = try_it(cell)
            proof.keep(cell, ok=same, steps=steps)   # plain values; on disk when this returns
        return proof.holds()

What is kept lies in benchmarks/results/<name>.json: the claim, commit, date, machine, seeds, n (cells that have an
answer) and every cell with its values. A cell is a name; give what repeats over seeds one cell per seed.
"""

import hashlib
import json
import os
import platform
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from fulmen.runs.provenance import git_state
from fulmen.utils.files import write_json

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"


class Proof:
    """The cells of one proof and what came of each; several processes may go through the same cells.

    Args:
        module: `__name__` of the proof, the last part of which names its file of results.
        claim: its docstring.
        seeds: that its cells use.
        results: the folder to keep results in.
    """

    def __init__(self, module: str, claim: str | None, seeds: Iterable[int] = (), results: Path = RESULTS):
        self.name = module.rpartition(".")[2]
        self.path = results / f"{self.name}.json"
        self.lock = FileLock(results / f".{self.name}.lock")
        self.claim, self.seeds = (claim or "").strip().partition("\n")[0], list(seeds)
        self.code, self.commit = code_id(), git_state(ROOT)
        self.cells: list[str] = []

    def missing(self, cells: Iterable[str]) -> Iterator[str]:
        """Those of `cells` that have no answer for the code of today; looks again before each."""
        self.cells = list(cells)
        for number, cell in enumerate(self.cells, 1):
            if self.kept().get(cell, {}).get("code") != self.code:
                print(f"{self.name} {number}/{len(self.cells)}: {cell}", flush=True)
                yield cell

    def keep(self, cell: str, ok: bool, **values: Any) -> None:
        """Write down whether the claim holds in `cell`, and figures that say more."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.lock:
            kept = self.kept() | {cell: {"ok": bool(ok), **values, "code": self.code}}
            about = {
                "claim": self.claim, **self.commit, "code": self.code, "date": f"{datetime.now():%Y-%m-%d}",
                "machine": machine(), "seeds": self.seeds,
            }  # fmt: skip
            write_json(self.path, about | {"n": sum(one["code"] == self.code for one in kept.values()), "cells": kept})
        if not ok:
            print(f"  does not hold: {values}", flush=True)

    def holds(self) -> bool:
        """Say how many cells hold; True if each one named to `missing` has an answer for this code and holds."""
        kept = {cell: one for cell, one in self.kept().items() if cell in self.cells and one["code"] == self.code}
        failed = [cell for cell in self.cells if not kept.get(cell, {}).get("ok")]
        print(
            f"{self.name}: {len(self.cells) - len(failed)} of {len(self.cells)} hold", *failed, sep="\n  ", flush=True
        )
        return not failed

    def kept(self) -> dict[str, dict[str, Any]]:
        return json.loads(self.path.read_text())["cells"] if self.path.exists() else {}


def code_id() -> str:
    """12 hex digits over all code and configs: evidence for one state of them says nothing of another."""
    digest = hashlib.sha256()
    for path in sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "conf").rglob("*.yaml")]):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def machine() -> dict[str, Any]:
    """Processor, cores, interpreter: what a figure depends on, and no name of a host."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
    return {"processor": model, "cores": os.cpu_count(), "python": platform.python_version()}
