"""Every notebook runs from top to bottom."""

from pathlib import Path

import nbformat
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path, tmp_path, monkeypatch, shop):
    """In the shell of a notebook's kernel, but in this process, which has the model and the pictures."""
    monkeypatch.chdir(tmp_path)
    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    shown = ""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            outcome = shell.run_cell(cell.source)
            outcome.raise_error()
            shown += str(shell.display_formatter.format(outcome.result))
    assert "drift" in shown
    assert "text/html" in shown


def test_there_are_notebooks():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_committed_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells)
