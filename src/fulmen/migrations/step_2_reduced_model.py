"""Step 2: PBPK networks start from a faster reduced model, and predictions have intervals.

Those trained before keep the model they learned from, and have no intervals: nobody has calibrated them.
"""

from fulmen.migrations.step import Plain, Step, left_out

DATA, MODEL = "fulmen.workloads.pbpk.data.PBPKData", "fulmen.workloads.pbpk.module.PBPKSurrogate"
BEFORE: dict[str, Plain] = {DATA: {"reduced": "runge_kutta"}, MODEL: {"reduced": "runge_kutta", "trusted": False}}

STEP = Step(2, "PBPK networks start from another reduced model", change=left_out(BEFORE))
