"""Step 3: the organs of a predicted body never hold more than was taken up; older models predict as they did."""

from fulmen.migrations.step import Step, left_out

MODEL = "fulmen.workloads.pbpk.module.PBPKSurrogate"

STEP = Step(3, "PBPK networks keep within the dose", change=left_out({MODEL: {"within_dose": False}}))
