"""A toy experiment for searches: `search(...)` is what `python sweep.py experiment=toy ...` does."""

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def _toy_can_be_imported(monkeypatch):
    monkeypatch.syspath_prepend(str(HERE))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")]))


@pytest.fixture
def typed(tmp_path):
    """What one types for a search of the toy in a folder of its own."""

    def typed(*more: str) -> list[str]:
        fixed = [f"hydra.searchpath=[file://{HERE / 'conf'}]", "experiment=toy", "search/space=toy"]
        return [*fixed, f"search.folder={tmp_path}", "search.champion_seeds=0", "search.name=s", *more]

    return typed


@pytest.fixture
def search(study):
    """Runs the trials of a search in this process, without a report, and returns the study."""

    def search(*more: str):
        from fulmen.search.training import train_here
        from fulmen.search.workers import work

        opened = study(*more)
        work([opened], train_here)
        return opened

    return search


@pytest.fixture
def whole_search(typed):
    """Runs a search as `sweep.py` does, to its report, and returns its first study."""

    def whole_search(*more: str):
        from fulmen.search.controller import run_searches
        from fulmen.search.plans import plans

        return run_searches(plans(typed(*more)))[0]

    return whole_search


@pytest.fixture
def study(typed):
    """Opens a study without running it."""

    def study(*more: str):
        from fulmen.search.plans import plans
        from fulmen.search.study import Study

        return Study(plans(typed(*more))[0])

    return study
