"""Pins `Stream`: piece by piece the rows are those of the whole, whatever the capture holds."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import tcptrace
from tcptrace import streaming
from tcptrace.pipeline import Reading
from tcptrace.streaming import Stream
from tcptrace.tables.schema import ANOMALIES, CONNECTIONS, TIMELINE
from tcptrace.tracker import pending
from tests.test_pipeline import ACK, BEGIN, FIN, RST, SYN, packet

SERVER = ("10.0.0.5", 80)
Story = tuple[tuple[bool, int, int, int, float], ...]

# From the client or not, flags, seq and ack from the ISNs, seconds since the one before.
OPEN: Story = ((True, SYN, 0, 0, 0.0), (False, SYN | ACK, 0, 1, 0.01), (True, ACK, 1, 1, 0.01))
CLOSE: Story = (
    (True, FIN | ACK, 1, 1, 0.5), (False, ACK, 1, 2, 0.01), (False, FIN | ACK, 1, 2, 0.1),
    (True, ACK, 2, 2, 0.01),
)  # fmt: skip
STORIES: dict[str, Story] = {
    "closed": OPEN + CLOSE,
    "no final ack": OPEN + CLOSE[:3],
    "half-closed": OPEN + CLOSE[:2],
    "open": OPEN,
    "reset": (*OPEN, (False, RST | ACK, 1, 1, 0.2)),
    "refused": (OPEN[0], (False, RST | ACK, 0, 1, 0.01)),
    "unanswered": (OPEN[0], (True, SYN, 0, 0, 1.0), (True, SYN, 0, 0, 2.0)),
    "one SYN": OPEN[:1],
    "never acknowledged": (*OPEN[:2], (False, SYN | ACK, 0, 1, 1.0)),
    "mid-stream": ((True, ACK, 5, 5, 0.0), (False, ACK, 5, 5, 0.1)),
    "goes on": ((True, ACK, 1, 1, 0.3), (False, ACK, 1, 1, 0.01)),
}
WAYS: dict[str, Callable[[bytes], bytes]] = {
    "none": bytes, "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress,
}  # fmt: skip
ACTS = st.lists(
    st.tuples(
        st.integers(0, 2),  # the client's port
        st.sampled_from(sorted(STORIES)),
        st.booleans(),  # with new numbers or with the last ones of the port
        st.sampled_from([0.0, 0.001, 0.7, 3.0, 65.0, 140.0, 301.0, 900.0]),
    ),
    min_size=1,
    max_size=14,
)


def played(acts: list[tuple[int, str, bool, float]]) -> bytes:
    """The acts as a capture, one after the other."""
    records = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 228)]
    now, isn = 0.0, dict.fromkeys(range(20), 1000)
    for port, story, anew, pause in acts:
        isn[port] += 1_000_000 * anew
        for from_client, bits, seq, ack, wait in STORIES[story]:
            now += wait
            base = isn[port]
            ends = (("10.0.0.9", 40000 + port), SERVER)
            way = ends if from_client else ends[::-1]
            number = base + seq if from_client else base + 5000 + seq
            answer = (base + 5000 + ack if from_client else base + ack) if bits & ACK else 0
            moment = divmod(round(now * 1e9), 10**9)
            octets = packet(way, bits, number, answer)
            records.append(struct.pack("<IIII", BEGIN + moment[0], moment[1], 40, 40) + octets)
        now += pause
    return b"".join(records)


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """So that few connections make many pieces."""
    monkeypatch.setattr(streaming, "PIECE", 1)
    monkeypatch.setattr(pending, "GROUP", 2)
    yield


class Dripping(io.BytesIO):
    """A file that gives three packets at a time."""

    def read1(self, size: int | None = -1) -> bytes:
        return super().read1(3 * 56)


def streamed(octets: bytes, **asked: int) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Both tables in the order of numbers, and how many pieces they came in."""
    stream = Stream(Reading.of(Dripping(octets), None, None, None, asked.get("most")), False)
    parts = [(part.connections.reset_index(), part.timeline) for part in stream]
    tables = [pd.concat(each, ignore_index=True) for each in zip(*parts, strict=True)]
    connections, timeline = (plain(table) for table in tables)
    return connections, timeline, len(parts)


def plain(table: pd.DataFrame) -> pd.DataFrame:
    """In the order of numbers, values only: a piece's names are not those of the whole."""
    ordered = table.sort_values("conn", kind="stable").reset_index(drop=True)
    return ordered.astype(object).where(ordered.notna(), None)


@settings(deadline=None, max_examples=150)
@given(ACTS, st.sampled_from([None, 1, 2]))
@example([(2, "unanswered", False, 0.0)] + [(n, "closed", False, 0.0) for n in (0, 1, 2)], 2)
@example([(2, "one SYN", False, 0.7)] * 2 + [(n, "closed", False, 3.0) for n in (0, 1, 2)], 2)
def test_piece_by_piece_the_rows_are_those_of_the_whole(
    acts: list[tuple[int, str, bool, float]], most: int | None
) -> None:
    """Ports used again, strays, half-open and idle connections, long silences, eviction."""
    octets = played(acts)
    trace = tcptrace.read(io.BytesIO(octets), progress=False, max_connections=most)
    connections, timeline, _ = streamed(octets, **({} if most is None else {"most": most}))
    pd.testing.assert_frame_equal(plain(trace.connections.reset_index()), connections)
    pd.testing.assert_frame_equal(plain(trace.timeline), timeline)
    stream = Stream(Reading.of(Dripping(octets), None, None, None, most), False)
    pd.testing.assert_frame_equal(trace.anomalies, stream.anomalies)
    assert str(trace.capture) == str(stream.capture)


@settings(deadline=None, max_examples=60)
@given(ACTS, st.lists(st.tuples(st.integers(0, 70), st.sampled_from(sorted(WAYS))), max_size=5))
def test_cut_into_files_the_tables_are_those_of_one(
    acts: list[tuple[int, str, bool, float]], cuts: list[tuple[int, str]]
) -> None:
    """Cut anywhere, also between packets of one moment, each part compressed in its own way."""
    octets = played(acts)
    whole = tcptrace.read(io.BytesIO(octets), progress=False)
    with tempfile.TemporaryDirectory() as folder:
        write_parts(Path(folder), octets, cuts)
        apart = tcptrace.read(folder, progress=False)
        stream = Stream(Reading.of(folder, None, None, None, None), False)
        parts = pd.concat([part.connections.reset_index() for part in stream])
    assert [] == apart.capture.skipped_files
    for name in ("connections", "timeline"):
        one, other = (getattr(trace, name).reset_index() for trace in (whole, apart))
        pd.testing.assert_frame_equal(unnumbered(one), unnumbered(other))
    pd.testing.assert_frame_equal(unnumbered(whole.connections.reset_index()), unnumbered(parts))
    codes = ["conn", "code", "severity", "ts", "count"]
    assert whole.anomalies[codes].astype(str).equals(apart.anomalies[codes].astype(str))


def write_parts(folder: Path, octets: bytes, cuts: list[tuple[int, str]]) -> None:
    """The capture as files that are named as tcpdump -C names them; parts without packets, too."""
    head, records = octets[:24], [octets[at : at + 56] for at in range(24, len(octets), 56)]
    ends = sorted((min(place, len(records)), way) for place, way in [*cuts, (len(records), "none")])
    begin = 0
    for number, (end, way) in enumerate(ends):
        path = folder / f"ring.pcap{number or ''}"
        path.write_bytes(WAYS[way](head + b"".join(records[begin:end])))
        begin = end


def unnumbered(table: pd.DataFrame) -> pd.DataFrame:
    """Without the numbers of packets, which begin anew in each file."""
    numbers = ["packet", "confirmed_by", "first_packet", "last_packet", "index"]
    return plain(table.drop(columns=numbers, errors="ignore"))


def test_ended_long_ago_connections_come_while_the_capture_goes_on() -> None:
    """The one that began first and is still open comes last."""
    acts = [(0, "open", True, 1.0), *((1 + n, "closed", True, 400.0) for n in range(8))]
    connections, _, pieces = streamed(played([*acts, (0, "goes on", False, 0.0)]))
    assert list(range(9)) == connections["conn"].tolist()
    assert pieces > 3


def test_a_capture_without_connections_gives_empty_tables() -> None:
    """One part, of the declared dtypes."""
    (part,) = Stream(Reading.of(io.BytesIO(played([])), None, None, None, None), False)
    assert [] == CONNECTIONS.faults(part.connections)
    assert [] == TIMELINE.faults(part.timeline)
    stream = Stream(Reading.of(io.BytesIO(played([])), None, None, None, None), False)
    assert [] == ANOMALIES.faults(stream.anomalies)


def test_facts_are_those_of_a_trace() -> None:
    """Of all pieces together."""
    octets = played([(0, "closed", True, 400.0)] * 5 + [(1, "mid-stream", True, 1.0)])
    stream = Stream(Reading.of(io.BytesIO(octets), None, None, None, None), False)
    assert 6 == sum(len(part.connections) for part in stream)
    whole = tcptrace.read(io.BytesIO(octets), progress=False).capture
    assert (str(whole), whole.vantage, whole.loss) == (
        str(stream.capture),
        stream.capture.vantage,
        stream.capture.loss,
    )
