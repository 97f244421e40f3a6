"""Pins `read_distributed`: however a capture is cut into files, it says what one process says."""

from __future__ import annotations

import io
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import tcptrace
from tcptrace.cluster.reading import read_distributed
from tests.cluster.same import assert_same, read
from tests.cluster.traffic import CAPTURES, SECOND, cut, fragmented, records, written


def test_captures_of_all_kinds(client: Any) -> None:
    """Many files, which overlap here and there, of two link types and formats."""
    assert_same(read(CAPTURES), read_distributed(CAPTURES, client))


@pytest.mark.parametrize("seed", range(4))
def test_any_cut_into_files(client: Any, tmp_path: Path, seed: int) -> None:
    """Files one after the other, some without packets, in an order that names do not tell."""
    chance = random.Random(seed)
    paths = written([*cut(list(records()), chance.randint(1, 9), chance), []], tmp_path)
    assert_same(read(paths), read_distributed(paths, client))


@pytest.mark.parametrize("astray", [1, 2, 30])
def test_files_that_overlap(client: Any, tmp_path: Path, astray: int) -> None:
    """As of two interfaces: some packets are in a file of another time."""
    paths = written(cut(list(records()), 6, random.Random(astray), astray), tmp_path)
    assert_same(read(paths), read_distributed(paths, client))


def test_clock_that_runs_ahead(client: Any, tmp_path: Path) -> None:
    """What one file says of the time counts for connections of which it has no segment."""
    packets = list(records())
    middle = len(packets) // 2
    early, late = packets[:middle], packets[middle:]
    early[middle // 2] = (early[middle // 2][0] + 200 * SECOND, early[middle // 2][1])
    late = [(time + 4000 * SECOND, octets) for time, octets in late]
    paths = written([early, late[:50], late[50:]], tmp_path)
    assert read(paths).capture.clock.count
    assert_same(read(paths), read_distributed(paths, client))


@pytest.mark.parametrize("seed", range(2))
def test_datagrams_in_fragments_across_files(client: Any, tmp_path: Path, seed: int) -> None:
    """Files that end between two fragments of a segment: it is put together all the same."""
    packets = fragmented(list(records()), 5)
    split = [place for place, (_, octets) in enumerate(packets) if octets[6] & 0x20]
    edges = sorted(place + 1 for place in random.Random(seed).sample(split, 4))
    paths = written([packets[a:b] for a, b in pairwise([0, *edges, len(packets)])], tmp_path)
    expected = read(paths)
    assert expected.capture.counters["ip-datagrams-reassembled"] > 100
    assert_same(expected, read_distributed(paths, client))


@pytest.mark.parametrize("chunk_size", [60, 3_000, 40_000])
def test_large_file_in_chunks(client: Any, tmp_path: Path, chunk_size: int) -> None:
    """Wherever they begin: between fragments, within a connection, where the clock is set back."""
    packets = fragmented(list(records()), 7)[: 3_000 if chunk_size > 60 else 200]
    middle = len(packets) // 2
    late = [(time - 90 * SECOND, octets) for time, octets in packets[middle:]]
    paths = written([packets[:middle] + late], tmp_path)
    expected = read(paths)
    assert expected.capture.clock.count
    assert_same(expected, read_distributed(paths, client, chunk_size=chunk_size))


def test_chunks_of_files_that_follow_each_other_and_of_such_that_do_not(
    client: Any, tmp_path: Path
) -> None:
    """Only pcap files are cut, and only those without overlap: the answer is one."""
    packets = list(records())
    for astray in (0, 1):
        paths = written(cut(packets, 5, random.Random(astray), astray), tmp_path / str(astray))
        how = {"filter": "greater 60"}
        assert_same(read(paths, **how), read_distributed(paths, client, chunk_size=9_000, **how))


def test_chunks_of_a_file_that_ends_early(client: Any, tmp_path: Path) -> None:
    """Cut within a packet, and damaged before its last chunks: those are not there, then."""
    paths = written([list(records())], tmp_path)
    octets = paths[0].read_bytes()
    paths[0].write_bytes(octets[:-1])
    assert_same(read(paths), read_distributed(paths, client, chunk_size=9_000))
    paths[0].write_bytes(octets[:50_000] + b"\xff" * 2_000 + octets[52_000:])
    expected = read(paths)
    assert expected.capture.files[0].damage
    assert_same(expected, read_distributed(paths, client, chunk_size=9_000))


def test_filter_and_profile(client: Any) -> None:
    """They mean what they mean in `read`."""
    how = {"filter": "port 8080 or port 80", "profile": "freebsd"}
    assert_same(read(CAPTURES, **how), read_distributed(CAPTURES, client, **how))


def test_capture_without_packets(client: Any, tmp_path: Path) -> None:
    """A header is a capture: tables without rows, of the declared types."""
    paths = written([[], []], tmp_path)
    assert_same(read(paths), read_distributed(paths, client))


def test_parquet_is_written_by_the_workers(client: Any, tmp_path: Path) -> None:
    """A folder a table, which reads as the whole table in order; none is written over."""
    found = read_distributed(CAPTURES, client)
    folders = found.to_parquet(tmp_path / "out")
    expected = read(CAPTURES)
    assert ["connections", "timeline", "anomalies"] == [folder.stem for folder in folders]
    rows = pd.read_parquet(folders[0])
    assert expected.connections.index.tolist() == rows["conn"].tolist()
    assert expected.connections["history"].tolist() == rows["history"].tolist()
    assert len(expected.timeline) == len(pd.read_parquet(folders[1]))
    with pytest.raises(tcptrace.UsageError, match="already"):
        found.to_parquet(tmp_path / "out")


def test_bad_input_is_told_as_by_read(client: Any, tmp_path: Path) -> None:
    """A stream, a filter and a file that make no sense."""
    with pytest.raises(tcptrace.UsageError, match="names"):
        read_distributed(io.BytesIO(b""), client)
    garbage = tmp_path / "garbage"
    garbage.write_bytes(b"What is this?")
    with pytest.raises(tcptrace.CaptureError, match="garbage"):
        read_distributed(garbage, client)
    paths = written([list(records())[:9]], tmp_path / "good")
    with pytest.raises(tcptrace.UsageError, match="nonsense"):
        read_distributed(paths, client, filter="nonsense 5")
    with pytest.raises(tcptrace.UsageError):
        read_distributed(paths, client, profile="nonsense")
    with pytest.raises(tcptrace.UsageError, match="chunk_size"):
        read_distributed(paths, client, chunk_size=0)
