"""Whether a cluster says what one process says."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from pandas.testing import assert_frame_equal

import tcptrace
from tcptrace.tables.schema import TABLES

THREE = ("connections", "timeline", "anomalies")


def assert_same(expected: tcptrace.Trace, found: Any) -> None:
    """Every table and every fact; categories of names may stand in another order."""
    for each in (each for each in fields(expected.capture) if each.compare):
        assert getattr(expected.capture, each.name) == getattr(found.capture, each.name), each.name
    assert len(expected) == len(found)
    for name in THREE:
        with found.client.as_current():
            table = getattr(found, name).compute()
        if name != "connections":
            table = table.reset_index(drop=True)
        assert [] == TABLES[name].faults(table), name
        assert_frame_equal(getattr(expected, name), table, check_categorical=False, obj=name)


def read(paths: list[Path], **how: Any) -> tcptrace.Trace:
    return tcptrace.read(paths, progress=False, **how)
