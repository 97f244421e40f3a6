"""Runs every notebook from top to bottom, as whoever opens it would; holds it to one question."""

from __future__ import annotations

import ast
import re
import tempfile
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client import AsyncKernelManager
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).resolve().parent.parent / "notebooks"
FILES = sorted(NOTEBOOKS.glob("*.ipynb"))
MOST_SECONDS = 100  # of one cell: only a notebook that hangs takes that long

each_notebook = pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def shown(book: Any, kind: str) -> list[str]:
    """All outputs of a MIME type."""
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    return ["".join(output["data"][kind]) for output in outputs if kind in output.get("data", {})]


@each_notebook
def test_notebook_runs(path: Path) -> None:
    """No error, no word on stderr; what it shows are pictures, and pages without scripts."""
    book = read(path)
    resources = {"metadata": {"path": str(NOTEBOOKS)}}
    with tempfile.TemporaryDirectory() as sockets:  # the kernel needs no network to be spoken to
        kernel = AsyncKernelManager(transport="ipc", ip=f"{sockets}/kernel")
        NotebookClient(book, kernel, timeout=MOST_SECONDS, resources=resources).execute()
    said = [
        output["text"]
        for cell in book.cells
        for output in cell.get("outputs", [])
        if output.get("name") == "stderr"
    ]
    assert [] == said
    pictures, pages = (
        shown(book, "image/svg+xml") + shown(book, "image/png"),
        shown(book, "text/html"),
    )
    assert pictures and pages
    assert [] == [page for page in pages if "<script" in page or "javascript:" in page]


@each_notebook
def test_notebook_carries_no_outputs(path: Path) -> None:
    """They would grow old, and no reader of a difference could tell why they changed."""
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert [] == [cell.source for cell in cells if cell.outputs or cell.execution_count is not None]


@each_notebook
def test_notebook_asks_one_question(path: Path) -> None:
    """One title, every code cell with words before it somewhere, only shipped captures."""
    cells = read(path).cells
    words = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert 1 == len(re.findall("^# ", words, re.MULTILINE))
    assert cells[0].cell_type == "markdown" and "?" in cells[0].source
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    ast.parse(code)
    named = re.findall(r"\.\./captures/[\w./]*\w", code + words)
    assert named
    assert [] == [name for name in named if not (NOTEBOOKS / name).exists()]


def test_there_are_the_three_questions() -> None:
    """A first look, who did not close, what a tap can know."""
    assert ["first_look", "what_a_tap_can_know", "who_did_not_close"] == [f.stem for f in FILES]
