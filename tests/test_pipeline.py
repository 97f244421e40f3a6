"""Pins `read`: a source all the way to a trace."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pandas as pd
import pytest

import tcptrace
from tcptrace.tables.schema import TABLES
from tcptrace.tcp import flags

BEGIN = 1_700_000_000
CLIENT, SERVER = ("10.0.0.9", 40000), ("10.0.0.5", 8080)
SYN, ACK, FIN, RST = flags.SYN, flags.ACK, flags.FIN, flags.RST
OUT, BACK = (CLIENT, SERVER), (SERVER, CLIENT)

# Direction, flags, sequence number, acknowledgement, seconds: RFC 9293 figures 6 and 12.
ORDERLY = (
    (OUT, SYN, 100, 0, 0.0),
    (BACK, SYN | ACK, 300, 101, 0.01),
    (OUT, ACK, 101, 301, 0.02),
    (OUT, FIN | ACK, 101, 301, 1.0),
    (BACK, ACK, 301, 102, 1.01),
    (BACK, FIN | ACK, 301, 102, 1.5),
    (OUT, ACK, 102, 302, 1.51),
)
NO_FINAL_ACK = (*ORDERLY[:6], *((BACK, FIN | ACK, 301, 102, 1.5 + t) for t in (0.3, 0.9, 2.1)))
AFTERWARDS = ((("10.0.0.1", 1), ("10.0.0.2", 2)), SYN, 1, 0, 60.0)


def packet(way: tuple, bits: int, seq: int, ack: int) -> bytes:  # type: ignore[type-arg]
    """IPv4 and TCP headers with sound checksums."""
    (source, source_port), (target, target_port) = way
    addresses = b"".join(bytes(map(int, each.split("."))) for each in (source, target))

    def tcp(checksum: int) -> bytes:
        ports = struct.pack("!HH", source_port, target_port)
        return ports + struct.pack("!IIHHHH", seq, ack, 5 << 12 | bits, 9000, checksum, 0)

    def ip(checksum: int) -> bytes:
        return struct.pack("!BBHHHBBH", 0x45, 0, 40, seq & 0xFFFF, 0x4000, 64, 6, checksum)

    pseudo = addresses + struct.pack("!HH", 6, 20)
    return ip(inverted_sum(ip(0) + addresses)) + addresses + tcp(inverted_sum(pseudo + tcp(0)))


def inverted_sum(octets: bytes) -> int:
    """The checksum of RFC 1071."""
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    return 0xFFFF - ((total & 0xFFFF) + (total >> 16))


def pcap(*segments: tuple) -> bytes:  # type: ignore[type-arg]
    """A pcap file of raw IPv4 packets with nanosecond times."""
    records = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 228)]
    for way, bits, seq, ack, seconds in segments:
        octets = packet(way, bits, seq, ack)
        moment = divmod(round(seconds * 1e9), 10**9)
        records.append(struct.pack("<IIII", BEGIN + moment[0], moment[1], 40, 40) + octets)
    return b"".join(records)


@pytest.fixture
def office(tmp_path: Path) -> str:
    """A capture of an orderly close, a minute long."""
    path = tmp_path / "office.pcap"
    path.write_bytes(pcap(*ORDERLY, AFTERWARDS))
    return str(path)


def states(trace: tcptrace.Trace, conn: int, role: str) -> list[str]:
    rows = trace.connection(conn).timeline
    return rows.loc[rows["role"] == role, "state"].tolist()


def test_orderly_close_is_read_to_both_timelines(office: str) -> None:
    """From bytes to RFC 9293's figure 12."""
    trace = tcptrace.read(office, progress=False)
    assert ["SYN_SENT", "ESTABLISHED", "FIN_WAIT_1", "FIN_WAIT_2", "TIME_WAIT"] == [
        state for state in states(trace, 0, "originator") if state != "CLOSED"
    ]
    assert ["SYN_RCVD", "ESTABLISHED", "CLOSE_WAIT", "LAST_ACK"] == [
        state for state in states(trace, 0, "responder") if state not in ("CLOSED", "LISTEN")
    ]
    row = trace.connections.loc[0]
    assert ("10.0.0.9", 40000, "10.0.0.5", 8080) == tuple(
        row[["orig_ip", "orig_port", "resp_ip", "resp_port"]]
    )
    assert ("originator", "fin", "SF") == tuple(row[["closer", "close_kind", "conn_state"]])


def test_every_table_has_the_declared_dtypes(office: str) -> None:
    """Segments included, which are read once more."""
    trace = tcptrace.read(office, progress=False)
    for name, table in TABLES.items():
        assert [] == table.faults(getattr(trace, name)), name
    assert 8 == len(trace.segments)
    assert [0] * 7 + [1] == trace.segments["conn"].tolist()
    assert ["S", "SA", "A", "FA", "A", "FA", "A", "S"] == trace.segments["flags"].tolist()


def test_missing_final_ack_is_found(tmp_path: Path) -> None:
    """The finding that the product is for."""
    path = tmp_path / "missing.pcap"
    path.write_bytes(pcap(*NO_FINAL_ACK, AFTERWARDS))
    found = tcptrace.read(path, progress=False).connection(0).anomalies
    assert ["missing-final-ack"] == found["code"].tolist()
    assert "10.0.0.5:8080 sent its FIN 4 times over 2.10 s" in found["headline"].iloc[0]


def test_stalled_fin_wait_2_is_found(tmp_path: Path) -> None:
    """Who waits, and for whom."""
    path = tmp_path / "stalled.pcap"
    path.write_bytes(pcap(*ORDERLY[:5], AFTERWARDS))
    found = tcptrace.read(path, progress=False).connection(0).anomalies
    assert {"fin-wait-2-stalled", "close-wait-leak"} == set(found["code"])


def test_count_reads_so_many_packets(office: str) -> None:
    """The rest might as well not be there: the capture ends with the third packet."""
    trace = tcptrace.read(office, count=3, progress=False)
    assert (3, pd.Timedelta(milliseconds=20)) == (trace.capture.packets, trace.capture.duration)
    assert 3 == len(trace.segments)
    assert "ESTABLISHED" == trace.connections.loc[0, "orig_state"]


@pytest.mark.parametrize("count", [0, -1])
def test_count_of_nothing_is_refused(office: str, count: int) -> None:
    """Nobody means to read no packet."""
    with pytest.raises(tcptrace.UsageError, match="count"):
        tcptrace.read(office, count=count, progress=False)


def test_filter_picks_packets_for_tables_and_segments(office: str) -> None:
    """The numbers of packets stay those of the file, and the silence its own."""
    trace = tcptrace.read(office, filter="host 10.0.0.2", progress=False)
    assert (1, [8]) == (trace.capture.packets, trace.segments["packet"].tolist())
    assert pd.Timedelta(seconds=60) == trace.capture.duration


def test_filter_that_makes_no_sense_is_the_callers_mistake(office: str) -> None:
    """In libpcap's words."""
    with pytest.raises(tcptrace.UsageError, match="nonsense"):
        tcptrace.read(office, filter="nonsense 5", progress=False)


def test_profile_decides_when_timers_end_states(office: str) -> None:
    """A name, or a profile with fields changed."""
    smoltcp = tcptrace.read(office, profile="smoltcp", progress=False)
    ends = smoltcp.timeline.query("basis == 'timer' and conn == 0")
    assert [11] == (ends["start"].dt.floor("s").astype("int64") // 10**9 - BEGIN).tolist()
    with pytest.raises(tcptrace.UsageError):
        tcptrace.read(office, profile="nonsense", progress=False)


def test_open_file_is_read_once() -> None:
    """Tables yes, segments no: a stream is gone."""
    trace = tcptrace.read(io.BytesIO(pcap(*ORDERLY)), progress=False)
    assert 1 == len(trace.connections)
    with pytest.raises(tcptrace.UsageError, match="stream"):
        _ = trace.segments


def test_several_files_are_one_capture(tmp_path: Path) -> None:
    """A connection goes on from one file to the next, whatever order they are named in."""
    for name, part in (("a", ORDERLY[:4]), ("b", ORDERLY[4:])):
        (tmp_path / f"{name}.pcap").write_bytes(pcap(*part))
    trace = tcptrace.read([tmp_path / "b.pcap", tmp_path / "a.pcap"], progress=False)
    assert 1 == len(trace.connections)
    assert ("originator", "fin") == tuple(trace.connections.loc[0, ["closer", "close_kind"]])
    assert [1, 1, 1, 1, 0, 0, 0] == trace.segments["file"].tolist()


def test_file_that_was_cut_gives_what_is_before_the_cut(tmp_path: Path) -> None:
    """Two packets and a half are two packets and a row that says so."""
    path = tmp_path / "cut.pcap"
    path.write_bytes(pcap(*ORDERLY[:3])[:-20])
    trace = tcptrace.read(path, progress=False)
    assert 2 == trace.capture.packets
    assert ["capture-truncated"] == trace.anomalies["code"].tolist()


def test_capture_without_packets_gives_empty_tables(tmp_path: Path) -> None:
    """A header is a capture."""
    path = tmp_path / "empty.pcap"
    path.write_bytes(pcap())
    trace = tcptrace.read(path, progress=False)
    for name, table in TABLES.items():
        assert [] == table.faults(getattr(trace, name)), name
        assert 0 == len(getattr(trace, name)), name


@pytest.mark.parametrize("octets", [b"", b"What is this?", b"\xa1\xb2"])
def test_what_is_no_capture_is_refused(tmp_path: Path, octets: bytes) -> None:
    """With the file's name and what was expected."""
    path = tmp_path / "garbage"
    path.write_bytes(octets)
    with pytest.raises(tcptrace.CaptureError, match="garbage"):
        tcptrace.read(path, progress=False)


def test_progress_is_shown_when_asked_for(office: str, capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, never on stdout; and not at all where stderr is no terminal."""
    tcptrace.read(office, progress=True)
    shown = capsys.readouterr()
    assert "" == shown.out
    assert "2 connections" in shown.err
    tcptrace.read(office)
    assert "" == capsys.readouterr().err


def test_more_open_connections_than_asked_for_are_evicted() -> None:
    """Those that ended go before those that are open, and how many went is told."""
    second = [((swapped(way)), *rest) for way, *rest in ORDERLY[:3]]
    octets = pcap(*ORDERLY, AFTERWARDS, *second)
    assert 0 == tcptrace.read(io.BytesIO(octets), progress=False).capture.evicted
    trace = tcptrace.read(io.BytesIO(octets), progress=False, max_connections=1)
    assert 2 == trace.capture.evicted
    assert ["closed", "evicted", "capture_end"] == trace.connections["end_reason"].tolist()
    assert [True, True, False] == trace.connections["is_final"].tolist()


def swapped(way: tuple) -> tuple:  # type: ignore[type-arg]
    """The same way between other hosts."""
    return tuple((f"1{host}", port) for host, port in way)


def test_no_open_connection_at_all_is_refused() -> None:
    """The bound is at least one."""
    with pytest.raises(tcptrace.UsageError, match="max_connections is 0"):
        tcptrace.read(io.BytesIO(pcap(*ORDERLY)), progress=False, max_connections=0)


def test_scapy_packets_are_a_source() -> None:
    """A PacketList lasts: its segments can be read again."""
    scapy = pytest.importorskip("scapy.all")
    packets = scapy.PacketList([scapy.IP(packet(*each[:4])) for each in ORDERLY])
    for each, (*_, seconds) in zip(packets, ORDERLY, strict=True):
        each.time = BEGIN + seconds
    trace = tcptrace.read(packets, progress=False)
    assert 1 == len(trace.connections)
    assert 7 == len(trace.segments)
