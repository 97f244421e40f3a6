"""Pins what is said where the extra for pictures is not installed."""

from __future__ import annotations

import sys

import pytest

from tcptrace.errors import UsageError
from tcptrace.views.extras import require_matplotlib


def test_missing_matplotlib_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence with the line to type, and no traceback."""
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UsageError, match=r"pip install 'tcptrace\[plot\]'"):
        require_matplotlib()


def test_matplotlib_that_is_there() -> None:
    """Nothing is said, and it is loaded."""
    require_matplotlib()
    assert "matplotlib.figure" in sys.modules
