"""Pins the package's face: its public names, and that they cost nothing until they are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tcptrace

HEAVY = ("pandas", "numpy", "scapy", "rich", "dpkt")


def printed(code: str) -> str:
    """What a fresh interpreter prints."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return run.stdout.strip()


@pytest.mark.parametrize("name", tcptrace.__all__)
def test_public_name_is_there(name: str) -> None:
    """Each name of `__all__` can be had, and is listed."""
    assert getattr(tcptrace, name) is not None
    assert name in dir(tcptrace)


def test_import_loads_nothing_heavy() -> None:
    """`import tcptrace` is quick: tables and readers come with their first use."""
    code = f"import sys, tcptrace; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert "[]" == printed(code)


def test_unknown_name_is_an_attribute_error() -> None:
    """A misspelt name is named."""
    with pytest.raises(AttributeError, match="'raed'"):
        _ = tcptrace.raed


REFUSING = """
import sys, types
compiled = types.ModuleType("tcptrace.compiled")
def require_compiled():
    raise ImportError("not compiled: a.kernel")
compiled.require_compiled = require_compiled
sys.modules["tcptrace.compiled"] = compiled
try:
    import tcptrace
except ImportError as error:
    print(error)
"""


def test_missing_kernel_stops_the_import() -> None:
    """What `compiled.require_compiled` raises is raised by `import tcptrace`."""
    assert "not compiled: a.kernel" == printed(REFUSING)
