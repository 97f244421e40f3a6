"""Pins that kernels reach each other at C speed, and that nothing in them is secretly an object."""

from __future__ import annotations

import ast

import pytest

from tcptrace.compiled import KERNELS
from tests.declarations import ROOT, declarations, source

LARGEST = (1 << 31) - 1


def test_declarations_are_those_of_the_kernels() -> None:
    """`python -m tests.declarations` was run after the last change of a kernel's class."""
    made = declarations()
    assert set(made) == set(ROOT.glob("tcptrace/**/*.pxd"))
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
