"""Real prices, where they are at hand."""

import pytest

from fulmen.config.schema import project_root


@pytest.fixture
def shared():
    folder = project_root().parent / "shared" / "data"
    if not (folder / "NVDA.csv").exists():
        pytest.skip(f"prices carry no licence, so none are kept here, and there is no {folder}/NVDA.csv")
    return folder
