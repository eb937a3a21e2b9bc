"""A wrong command of any kind is refused before work, within a second, by a command that keeps all else that was typed.

Each case of tests/config/wrong_commands.py is a process of its own, in an empty folder; beside every one of them
`python -c "import torch"` is started. CPU seconds are those of the child, by its resource usage.
"""

import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
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
WARM = "import fulmen.entrypoints"
SUMMARY = "all cases together"


def main() -> bool:
    every = {str(case): case for case in cases()}
    proof = Proof(__name__, __doc__, seeds=[SEED])
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    for name in proof.missing([*every, SUMMARY]):
        if name == SUMMARY:
            proof.keep(SUMMARY, **together(every.values(), kept(proof)))
            continue
        case = every[name]
        with tempfile.TemporaryDirectory() as place:
            case.write(Path(place))
            program = [str(ROOT / case.program), *case.typed]
            code, message, seconds = timed(program, place, environment)
            wrong = shortcomings(case, message) if code == 2 else [f"exit code {code}"]
            left = sorted(set(os.listdir(place)) - {"conf"})
        _, _, torch = timed(["-c", "import torch"], place=str(ROOT), environment=environment)
        wrong += [f"leaves {', '.join(left)}"] if left else []
        proof.keep(name, ok=True, kind=case.kind, wrong=wrong, cpu_s=seconds, import_torch_cpu_s=torch)
    return proof.holds()


def timed(arguments: list[str], place: str, environment: dict[str, str]) -> tuple[int, str, float]:
    """Exit code, stderr and CPU seconds of `python <arguments>` in a folder."""
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
    refused = [not any(each.startswith(("exit code", "leaves")) for each in cell["wrong"]) for _, cell in own]
    cured = sum(not cell["wrong"] for cell in misspelt)
    seconds, torch = ([cell[name] for _, cell in own] for name in ("cpu_s", "import_torch_cpu_s"))
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
