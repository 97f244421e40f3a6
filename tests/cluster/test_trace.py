"""Pins `DistributedTrace`: what it is called, and what its workers write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tcptrace.cluster.reading import read_distributed
from tcptrace.errors import UsageError
from tests.cluster.same import THREE, read
from tests.cluster.traffic import CAPTURES


def test_workers_write_what_one_process_would(client: Any, tmp_path: Path) -> None:
    """A folder a table; a second time they would be overwritten, and are not."""
    trace = read_distributed(CAPTURES, client)
    homes = trace.to_parquet(tmp_path)
    assert [f"{name}.parquet" for name in THREE] == [home.name for home in homes]
    assert len(read(CAPTURES).timeline) == len(pd.read_parquet(homes[1]))
    with pytest.raises(UsageError, match="there already"):
        trace.to_parquet(tmp_path)


def test_trace_says_what_it_is_of(client: Any) -> None:
    """Its files and how many connections; it is something even without any."""
    trace = read_distributed(CAPTURES[:1], client)
    assert trace
    assert f"{len(trace)} connection" in repr(trace)
    assert str(CAPTURES[0]) in repr(trace)
