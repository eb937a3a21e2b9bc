"""A surrogate that was trained for a moment."""

import pytest
from helpers import PBPK

from fulmen.config.check import check_overrides
from fulmen.runs.run import run


@pytest.fixture(scope="session")
def surrogate_run(tmp_path_factory):
    """The folder of a run of real chemistry, with boluses and infusions, over 6 hours."""
    folder = tmp_path_factory.mktemp("surrogate") / "run"
    typed = ["experiment=pbpk_mlp", *PBPK, "data.population=real_chemistry", "data.routes=[bolus,infusion]",
             "data.compounds=400", "data.validation_compounds=80",
             "trainer.max_epochs=2", "test=false", f"output_dir={folder}"]  # fmt: skip
    return run(check_overrides(typed), typed).folder
