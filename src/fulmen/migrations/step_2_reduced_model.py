"""Step 2: PBPK networks start from a faster reduced model, and predictions have intervals.

Those trained before keep the model they learned from, and have no intervals: nobody has calibrated them.
"""

from typing import Any

from fulmen.migrations.bases import bases_in_fulmen
from fulmen.migrations.step import Plain, Step

DATA, MODEL = "fulmen.workloads.pbpk.data.PBPKData", "fulmen.workloads.pbpk.module.PBPKSurrogate"


def with_runge_kutta(stored: Plain) -> Plain:
    """`reduced: runge_kutta` in every node of PBPK data, or of their model, that says nothing of it; no intervals."""
    return {key: _kept(value) for key, value in stored.items()}


def _kept(value: Any) -> Any:
    if isinstance(value, list):
        return [_kept(item) for item in value]
    if not isinstance(value, dict):
        return value
    node = {key: _kept(item) for key, item in value.items()}
    target = node.get("_target_")
    made = {target, *bases_in_fulmen(target)} if isinstance(target, str) else set()
    if made & {DATA, MODEL}:
        node.setdefault("reduced", "runge_kutta")
    if MODEL in made:
        node.setdefault("trusted", False)
    return node


STEP = Step(2, "PBPK networks start from another reduced model", change=with_runge_kutta)
