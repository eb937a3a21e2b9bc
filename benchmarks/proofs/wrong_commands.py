"""A wrong command of any kind is refused before work, within a second, by a command that keeps all else that was typed.

Each case of tests/config/wrong_commands.py is a process of its own, in an empty folder; beside some of them
`python -c "import torch"` is started. CPU seconds are those of the child, by its resource usage, once the index knows
the modules that the command names: what takes long at first is started again.
"""

import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from benchmarks.proofs import RESULTS, ROOT, Proof
from fulmen.config.check import check_overrides
from fulmen.errors import FulmenError

sys.path.insert(0, str(ROOT / "tests" / "config"))
from wrong_commands import SEED, Case, cases

MEDIAN, SLOWEST = 0.6, 1.5  # CPU seconds: of half of the commands, and of 95 %
KEPT = 0.95  # of the misspelt ones are answered with a command that does what was meant
COLD = 2.5  # CPU seconds: it has imported what the index did not know, and is started again
BESIDE = 8  # one of so many commands has an `import torch` beside it
SUMMARY = "all cases together"


def main() -> bool:
    every = {str(case): case for case in cases()}
    proof = Proof(__name__, __doc__, seeds=[SEED])
    for name in proof.missing([*every, SUMMARY]):
        found = together(every.values(), kept(proof)) if name == SUMMARY else tried(every[name])
        proof.keep(name, **found)
    return proof.holds()


def tried(case: Case) -> dict[str, Any]:
    """What one command says, leaves behind and takes."""
    with tempfile.TemporaryDirectory() as place:
        case.write(Path(place))
        program = [str(ROOT / case.program), *case.typed]
        code, message, seconds = timed(program, place)
        warm = timed(program, place)[2] if seconds > COLD else seconds
        left = sorted(set(os.listdir(place)) - {"conf"})
    beside = {"import_torch_cpu_s": timed(["-c", "import torch"], str(ROOT))[2]} if hash_of(case) % BESIDE == 0 else {}
    wrong = shortcomings(case, message) if code == 2 else [f"exit code {code}"]
    return {
        "ok": code == 2 and not left, "kind": case.kind, "wrong": wrong, "left": left, "cpu_s": warm,
        "cpu_s_at_first": seconds, **beside,
    }  # fmt: skip


def hash_of(case: Case) -> int:
    return zlib.crc32(str(case).encode())


def timed(arguments: list[str], place: str) -> tuple[int, str, float]:
    """Exit code, stderr and CPU seconds of `python <arguments>` in a folder."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(
            [sys.executable, *arguments], cwd=place, env=environment, stdout=subprocess.DEVNULL, stderr=said
        )
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        return child.returncode, said.read(), round(usage.ru_utime + usage.ru_stime, 3)


def kept(proof: Proof) -> dict[str, dict[str, Any]]:
    """What this code was seen to do with each case."""
    cells = json.loads((RESULTS / f"{proof.name}.json").read_text())["cells"]
    return {name: cell for name, cell in cells.items() if cell["code"] == proof.code}


def together(every: Iterable[Case], cells: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What the whole shows: how many are refused and cured, and the seconds they take."""
    own = [(case, cells[str(case)]) for case in every]
    misspelt = [cell for case, cell in own if case.right]
    refused = [cell["ok"] for _, cell in own]
    cured = sum(not cell["wrong"] for cell in misspelt)
    seconds = [cell["cpu_s"] for _, cell in own]
    torch = [cell["import_torch_cpu_s"] for _, cell in own if "import_torch_cpu_s" in cell]
    median, p95 = statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]
    named = all(not cell["wrong"] for case, cell in own if not case.right)
    ok = all(refused) and named and cured >= KEPT * len(misspelt) and median <= MEDIAN and p95 <= SLOWEST
    return {
        "ok": ok, "commands": len(own), "refused": sum(refused), "misspelt": len(misspelt), "cured": cured,
        "told_in_full": sum(not cell["wrong"] for _, cell in own), "cpu_s_median": round(median, 2),
        "cpu_s_95": round(p95, 2), "cpu_s_worst": max(seconds), "import_torch_cpu_s_median": statistics.median(torch),
    }  # fmt: skip


def shortcomings(case: Case, message: str) -> list[str]:
    """What a message lacks; empty if it answers a case as it should."""
    wrong = [f"does not say {text!r}" for text in case.says if text not in message]
    wrong += [f"does not say that {text} goes" for text in case.goes if f"without: {text}" not in message]
    if "Traceback" in message:
        wrong.append("a traceback")
    cure = offered(message, case.program)
    if case.right is None:
        return wrong
    if cure is None:
        return [*wrong, "no command is offered"]
    return wrong if same(cure, list(case.right), case.program) else [*wrong, f"offers {shlex.join(cure)}"]


def offered(message: str, program: str) -> list[str] | None:
    """The overrides in the command that a message offers, without the name of the program."""
    line = next((line for line in message.splitlines() if line.startswith("  this works: ")), None)
    words = shlex.split(line.partition(": ")[2]) if line else []
    starts = {program, program.removesuffix(".py")} & set(words)
    return words[words.index(starts.pop()) + 1 :] if starts else None


def same(cure: list[str], right: list[str], program: str) -> bool:
    """Whether two commands come to the same; those of a search by what was typed, and by their trainings."""
    if sorted(cure) == sorted(right):
        return True
    of_search = [sorted(each for each in typed if each.startswith("search")) for typed in (cure, right)]
    of_training = [[each for each in typed if not each.startswith("search")] for typed in (cure, right)]
    if of_search[0] != of_search[1] or len(cure) != len(right):
        return False
    try:
        mended, meant = (OmegaConf.to_container(check_overrides([*each, "output_dir=same"])) for each in of_training)
    except FulmenError:
        return False
    return mended == meant


if __name__ == "__main__":
    sys.exit(not main())
