"""Pins `prefetch`: an interpreter, too, may call it, and nothing changes."""

from __future__ import annotations

import numpy as np

from tcptrace.tracker.memory import prefetch


def test_prefetch_changes_nothing() -> None:
    """Whatever it is given."""
    cells = np.arange(3)
    assert prefetch(cells.data) is None
    assert [0, 1, 2] == cells.tolist()
