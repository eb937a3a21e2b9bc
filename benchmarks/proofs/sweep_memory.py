"""200 tiny trials in one process end with no more memory than the first twenty needed: resident memory within 5 %.

The trials are PBPK perceptrons of 24 subjects and one epoch. Compared are the largest resident memory of trials 11 to
20 and that of trials 191 to 200, so that imports and first allocations are in both.
"""

import tempfile

from benchmarks.proofs import Proof
from fulmen.search.memory import resident_mib
from fulmen.search.plans import plans
from fulmen.search.study import Study
from fulmen.search.training import train_here
from fulmen.search.workers import work

TRIALS = 200
TINY = [
    "experiment=pbpk_mlp", "data.compounds=24", "data.validation_compounds=4", "data.test_compounds=4",
    "trainer.max_epochs=1", "trainer.accelerator=cpu", "trainer.limit_train_batches=2", "search=random",
    f"search.trials={TRIALS}", "search.pruner=none", "search.name=memory",
]  # fmt: skip


def main() -> bool:
    proof = Proof(__name__, __doc__, seeds=[0])
    for cell in proof.missing([f"{TRIALS} trials in one process"]):
        sizes: list[float] = []  # MiB after each trial
        with tempfile.TemporaryDirectory() as folder:
            study = Study(plans([*TINY, f"search.folder={folder}"])[0])
            work([study], train_here, lambda sizes=sizes: sizes.append(resident_mib() or 0.0))
        early, late = max(sizes[10:20]), max(sizes[-10:])
        proof.keep(
            cell,
            ok=late <= 1.05 * early,
            trials=len(sizes),
            mib_after_20=round(early, 1),
            mib_after_200=round(late, 1),
            ratio=round(late / early, 4),
        )
    return proof.holds()
