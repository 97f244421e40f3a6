"""Pins what happens where a kernel is not compiled, and what one must be to be fast."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from tcptrace import compiled
from tcptrace.compiled import KERNELS
from tests.declarations import ROOT, declarations, source

LARGEST = (1 << 31) - 1
BY_HAND = (  # what is written for C alone
    "cells",
    "decode/ones_complement",
    "octet_order",
    "tcp/sequence",
    "tracker/marks",
    "tracker/memory",
)
PLAIN = "uncompiled_kernel_of_test_compiled"


@pytest.fixture
def plain_kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A kernel that exists as a `.py` file alone."""
    (tmp_path / f"{PLAIN}.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(compiled, "KERNELS", (PLAIN,))
    return PLAIN


def test_py_file_counts_as_interpreted(plain_kernel: str) -> None:
    """A kernel whose origin is its source is named as interpreted."""
    assert [plain_kernel] == compiled.interpreted_kernels()


def test_extension_counts_as_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that came from a shared object is not interpreted."""
    monkeypatch.setattr(compiled, "KERNELS", ("numpy._core._multiarray_umath",))
    assert [] == compiled.interpreted_kernels()


def test_asking_does_not_import(plain_kernel: str) -> None:
    """`--version` may ask without paying for the kernels."""
    compiled.interpreted_kernels()
    assert plain_kernel not in sys.modules


def test_missing_kernel_is_an_import_error_where_required(
    plain_kernel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TCPTRACE_REQUIRE_COMPILED=1 turns a missing kernel into an ImportError that names it."""
    monkeypatch.setenv("TCPTRACE_REQUIRE_COMPILED", "1")
    with pytest.raises(ImportError, match=plain_kernel):
        compiled.require_compiled()


@pytest.mark.parametrize("setting", ["", "0"])
def test_missing_kernel_is_no_error_elsewhere(
    plain_kernel: str, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the setting the same file runs interpreted."""
    monkeypatch.setenv("TCPTRACE_REQUIRE_COMPILED", setting)
    compiled.require_compiled()


def test_declarations_are_those_of_the_kernels() -> None:
    """`python -m tests.declarations` was run after the last change of a kernel's class."""
    made = declarations()
    by_hand = {ROOT / "tcptrace" / f"{name}.pxd" for name in BY_HAND}
    assert {*made} | by_hand == set(ROOT.glob("tcptrace/**/*.pxd"))
    assert [path.name for path, text in made.items() if path.read_text() != text] == []


def _literals(tree: ast.Module) -> list[int]:
    """Numbers inside functions: a declared one at the top of the module is a C number."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    inside = [each for function in functions for each in ast.walk(function)]
    return [
        each.value
        for each in inside
        if isinstance(each, ast.Constant) and type(each.value) is int and abs(each.value) > LARGEST
    ]


@pytest.mark.parametrize("kernel", KERNELS)
def test_no_literal_is_an_object(kernel: str) -> None:
    """Cython takes a literal of 2**31 or more for a Python int: whatever it touches is slow."""
    assert [] == _literals(ast.parse(source(kernel).read_text()))
