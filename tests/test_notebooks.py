"""Every notebook runs from top to bottom and shows what it draws."""

from base64 import b64decode
from io import BytesIO

import nbformat
import pytest
from matplotlib import pyplot
from nbclient import NotebookClient

from fulmen.config.schema import project_root

NOTEBOOKS = sorted((project_root() / "notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_notebook_runs(path, tmp_path):
    notebook = nbformat.read(path, as_version=4)
    assert [cell.source for cell in notebook.cells if cell.get("outputs")] == [], "committed without outputs"
    NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}}).execute()
    drawing = [cell for cell in notebook.cells if cell.cell_type == "code" and "plot(" in cell.source]
    assert drawing
    for cell in drawing:
        images = [output["data"]["image/png"] for output in cell.outputs if "image/png" in output.get("data", {})]
        assert images, f"no figure is shown by:\n{cell.source}"
        assert pyplot.imread(BytesIO(b64decode(images[0]))).std() > 0
