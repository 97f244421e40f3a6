"""Pins Parquet files written frame by frame: the dtypes and rows of a file written at once."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pandas as pd
import pytest

from tcptrace.tables.schema import TABLES
from tests.faces.made import MadeTrace

pytest.importorskip("pyarrow")
from tcptrace.tables.row_groups import write_row_groups


def written(*frames: pd.DataFrame) -> io.BytesIO:
    held = io.BytesIO()
    write_row_groups(frames, held)
    held.seek(0)
    return held


@pytest.mark.parametrize("name", list(TABLES))
@pytest.mark.parametrize("empty_first", [False, True])
def test_each_frame_is_a_row_group(name: str, empty_first: bool) -> None:
    """Whatever names the first one has, or none at all."""
    import pyarrow.parquet as pq

    frame = getattr(MadeTrace(), name).reset_index(drop=TABLES[name].index == "")
    parts = [frame.iloc[:1], frame.iloc[1:]]
    parts = [TABLES[name].empty().reset_index(drop=TABLES[name].index == ""), *parts[empty_first:]]
    whole = pd.read_parquet(written(frame))
    apart = written(*parts)
    assert len(parts) == pq.ParquetFile(apart).num_row_groups
    expected = whole.iloc[1 if empty_first else 0 :].reset_index(drop=True)
    found = pd.read_parquet(apart)
    assert expected.astype(str).to_dict("list") == found.astype(str).to_dict("list")
    assert whole.dtypes.astype(str).tolist() == found.dtypes.astype(str).tolist()


def test_broken_off_the_file_is_whole() -> None:
    """What came before is in it."""
    frame = MadeTrace().connections.reset_index()

    def frames() -> Iterator[pd.DataFrame]:
        yield frame
        raise KeyboardInterrupt

    held = io.BytesIO()
    with pytest.raises(KeyboardInterrupt):
        write_row_groups(frames(), held)
    assert len(frame) == len(pd.read_parquet(io.BytesIO(held.getvalue())))


def test_numbers_are_written_as_differences() -> None:
    """Those that ascend take a fraction of their octets; text that repeats is there once."""
    import pyarrow.parquet as pq

    frame = MadeTrace().connections.reset_index()
    column = pq.ParquetFile(written(frame)).metadata.row_group(0).column
    names = list(frame.columns)
    for name in ("conn", "ts_start", "duration", "orig_port"):
        assert "DELTA_BINARY_PACKED" in column(names.index(name)).encodings
    assert "RLE_DICTIONARY" in column(names.index("conn_state")).encodings
