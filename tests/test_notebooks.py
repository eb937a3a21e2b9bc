"""Every notebook runs from top to bottom, twice in one kernel, and shows what it draws."""

import os
import re

import nbformat
import pytest
from nbclient import NotebookClient

from fulmen.config.schema import project_root

NOTEBOOKS = sorted((project_root() / "notebooks").glob("*.ipynb"))
DRAWS = re.compile(r"plot|\bax\b|figure", re.IGNORECASE)
EMBEDDED = re.compile(r'<img [^>]*src="data:image/(png|svg\+xml);base64,[^"]{400,}')
STOP_BOARDS = """
import os, signal
from tensorboard import manager
for board in manager.get_all():
    os.kill(board.pid, signal.SIGTERM)
"""


def images(cell):
    """How many images a cell shows: as outputs of their own, or in the HTML of what shows itself."""
    shown = [output["data"] for output in cell.outputs if "data" in output]
    own = sum("image/png" in data or "image/svg+xml" in data for data in shown)
    return own + sum(len(EMBEDDED.findall(data.get("text/html", ""))) for data in shown)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_is_kept_without_outputs_and_says_which_cells_draw(path):
    notebook = nbformat.read(path, as_version=4)
    assert [cell.source for cell in code(notebook) if cell.outputs or cell.execution_count] == []
    tagged = [cell.source for cell in code(notebook) if "figure" in cell.metadata.get("tags", [])]
    assert tagged
    drawing = [cell.source for cell in code(notebook) if DRAWS.search(cell.source) and "import" not in cell.source]
    assert set(drawing) <= set(tagged)
    assert any("%tensorboard" in cell.source for cell in code(notebook))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_a_notebook_runs_twice_and_every_cell_that_draws_shows_an_image(path, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    boards = tmp_path / "boards"
    boards.mkdir()
    client = NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}})
    elsewhere = "/usr/local/bin:/usr/bin:/bin"  # a kernel need not be started from an activated environment
    with client.setup_kernel(env={**os.environ, "TMPDIR": str(boards), "PATH": elsewhere}):
        try:
            for _ in range(2):
                for index, cell in enumerate(notebook.cells):
                    client.execute_cell(cell, index)
                empty = [cell.source for cell in code(notebook)
                         if "figure" in cell.metadata.get("tags", []) and not images(cell)]  # fmt: skip
                assert empty == []
                said = [output.get("text", "") for cell in code(notebook) for output in cell.outputs]
                assert [text for text in said if "ERROR" in text] == []
                shown = [output["data"].get("text/plain", "") for cell in code(notebook) for output in cell.outputs
                         if "data" in output]  # fmt: skip
                assert not any("'outputs/runs" in text for text in shown), "files of a project are not its results"
        finally:
            client.execute_cell(nbformat.v4.new_code_cell(STOP_BOARDS), 0)
    written = {child.name for child in tmp_path.iterdir()} - {"boards"}
    assert written <= {"outputs"}, "a notebook writes where fulmen does"
