"""Step 4: what reads the logs and tables of other tools lies in the reading room."""

from fulmen.migrations.step import Step

STEP = Step(
    4,
    "other people's files are read in a room of its own",
    modules={
        "diagnosis.logs": "io.logs.read",
        "diagnosis.tables": "io.logs.sources",
        "workloads.sensors.io.cells": "workloads.sensors.io.labels",
        "workloads.sensors.io.files": "workloads.sensors.io.reading",
    },
)
