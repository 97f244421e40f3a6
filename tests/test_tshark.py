"""captures/ by tshark's account, where it is installed; each difference listed with its reason.

tshark shares no code with tcptrace. Streams are compared with connections, packets, payload and
retransmissions by direction, frames with a window of zero one by one.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
import zstandard

import tcptrace
from tcptrace.trace import Trace

CAPTURES = Path(__file__).resolve().parent.parent / "captures"
UNPACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
    ".zst": lambda octets: zstandard.ZstdDecompressor().decompressobj().decompress(octets),
}
FIELDS = (
    "frame.number",
    "tcp.stream",
    "ip.src",
    "ipv6.src",
    "tcp.srcport",
    "tcp.len",
    "tcp.analysis.retransmission",
    "tcp.analysis.zero_window",
)
RESENT = FIELDS.index("tcp.analysis.retransmission")
ZERO_WINDOW = FIELDS.index("tcp.analysis.zero_window")

# Captures whose packets the two give to other streams, and why; together they are the same.
OTHER_STREAMS = {
    "half_open_recovery": (
        "frames 9 and 10, the ACK of an endpoint that still holds the old connection and the RST "
        "that it provokes, are of the old connection (RFC 9293 section 3.5.1, figure 9); tshark "
        "gives them to the stream that the SYN before them began"
    ),
}

# Captures by other hands in which the two count retransmissions differently: tshark's count, ours,
# and why, frame by frame. In all others they are the same.
COPIED = "the same packet captured twice, with one IP identification, is a copy and not sent again"
EARLIER = "below what was sent before, which tshark calls out of order for coming soon after it"
RETRANSMISSIONS: dict[str, tuple[int, int, str]] = {
    "arkime_tcpseq_synthetic.pcap": (1, 2, f"20: {COPIED}; 14, 38: {EARLIER}"),
    "ndpi_6in4tunnel.pcap": (0, 2, f"46, 47: {EARLIER}"),
    "ndpi_capwap_data.pcapng": (6, 0, f"2, 3, 5, 6, 10, 12: {COPIED}"),
    "ndpi_ethereum.pcap": (14, 15, f"146: {EARLIER}"),
    "ndpi_kafka.pcapng": (2, 0, f"10, 18: {COPIED}"),
    "zeek_Traces_pppoe-over-qinq.pcap": (
        23,
        26,
        f"57, 58: {EARLIER}; 47: six octets by the IP header, none by the PPPoE header before it",
    ),
    "zeek_Traces_vlan-collisions.pcap": (18, 15, f"2, 6, 7: {COPIED}"),
}
LARGEST = 2 << 20  # of those captures' lists of streams; the long ones say no more

Direction = tuple[str, int]

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


class Account(NamedTuple):
    """What is known of one stream by direction: packets, payload; and of all its packets."""

    packets: dict[Direction, int]
    payload: dict[Direction, int]
    resent: int


def captures() -> list[Path]:
    """The recordings of one tap."""
    return sorted(CAPTURES.glob("*/capture.*"))


@cache
def rows_of_tshark(path: Path, folder: Path) -> list[list[str]]:
    """The fields of every TCP packet; tshark reads no xz and no bzip2, so it gets all unpacked."""
    unpack = UNPACK.get(path.suffix, bytes)
    plain = folder / f"{path.parent.name}.capture"
    plain.write_bytes(unpack(path.read_bytes()))
    command = ["tshark", "-2", "-n", "-r", str(plain), "-Y", "tcp && !icmp && !icmpv6", "-T"]
    command += ["fields", *(part for field in FIELDS for part in ("-e", field))]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line.split("\t") for line in run.stdout.splitlines()]


def by_tshark(rows: list[list[str]]) -> list[Account]:
    """Its streams in their order."""
    streams: dict[int, Account] = {}
    for row in rows:
        account = streams.setdefault(int(row[1]), Account({}, {}, 0))
        direction = (row[2] or row[3], int(row[4]))
        account.packets[direction] = account.packets.get(direction, 0) + 1
        account.payload[direction] = account.payload.get(direction, 0) + int(row[5])
        streams[int(row[1])] = account._replace(resent=account.resent + bool(row[RESENT]))
    return [streams[number] for number in sorted(streams)]


def by_tcptrace(trace: Trace) -> list[Account]:
    """Our connections in their order."""
    accounts = []
    table, segments = trace.connections, trace.segments
    for conn in table.index:
        own = segments[(segments["conn"] == conn) & (segments["kind"] != "icmp_error")]
        ends = zip(own["src_ip"].astype(str), own["src_port"], own["payload"], strict=True)
        packets: dict[Direction, int] = {}
        payload: dict[Direction, int] = {}
        for ip, port, octets in ends:
            packets[ip, int(port)] = packets.get((ip, int(port)), 0) + 1
            payload[ip, int(port)] = payload.get((ip, int(port)), 0) + int(octets)
        row = table.loc[conn]
        resent = int(row["orig_retransmits"]) + int(row["resp_retransmits"])
        accounts.append(Account(packets, payload, resent))
    return accounts


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tshark")


@needs_tshark
@pytest.mark.parametrize("path", captures(), ids=lambda path: path.parent.name)
def test_streams_and_their_directions(path: Path, folder: Path) -> None:
    """Each stream is a connection; packets and octets of each direction are the same."""
    theirs = by_tshark(rows_of_tshark(path, folder))
    ours = by_tcptrace(tcptrace.read(path))
    if path.parent.name in OTHER_STREAMS:
        assert theirs != ours, "explained, but no longer so"
        theirs, ours = together(theirs), together(ours)
    assert [account[:2] for account in theirs] == [account[:2] for account in ours]


def together(accounts: list[Account]) -> list[Account]:
    """All streams of one four-tuple as one."""
    packets: Counter[Direction] = Counter()
    payload: Counter[Direction] = Counter()
    for account in accounts:
        packets.update(account.packets)
        payload.update(account.payload)
    return [Account(dict(packets), dict(payload), sum(account.resent for account in accounts))]


@needs_tshark
def test_retransmissions(folder: Path) -> None:
    """As many in each capture, of those that show any and of those that show none."""
    theirs, ours = {}, {}
    for path in captures():
        name = path.parent.name
        theirs[name] = sum(account.resent for account in by_tshark(rows_of_tshark(path, folder)))
        ours[name] = sum(account.resent for account in by_tcptrace(tcptrace.read(path)))
    assert theirs == ours
    assert {"syn_lost", "syn_unanswered", "final_ack_lost"} < {name for name in ours if ours[name]}


@needs_tshark
def test_zero_windows(folder: Path) -> None:
    """The same frames have a window of zero and are no SYN, FIN or RST."""
    theirs, ours = {}, {}
    for path in captures():
        rows = rows_of_tshark(path, folder)
        theirs[path.parent.name] = [int(row[0]) for row in rows if row[ZERO_WINDOW]]
        segments = tcptrace.read(path).segments
        ours[path.parent.name] = segments[closes_window(segments)]["packet"].tolist()
    assert theirs == ours
    assert ours["zero_window"], "the capture that shows it shows it"


def test_captures_by_other_hands(shared: Path) -> None:
    """Retransmissions and zero windows of each against what tshark said of it once."""
    different, zero_windows = {}, 0
    for answer in sorted(shared.glob("corpus/expected/*.tshark.json")):
        if answer.stat().st_size > LARGEST:
            continue
        trace = tcptrace.read(answer.parent.parent / answer.name.removesuffix(".tshark.json"))
        table, segments = trace.connections, trace.segments
        told = [stream.get("analysis", {}) for stream in json.loads(answer.read_text())["streams"]]
        theirs = sum(analysis.get("retransmission", 0) for analysis in told)
        ours = int(table["orig_retransmits"].sum() + table["resp_retransmits"].sum())
        if theirs != ours:
            different[answer.name.removesuffix(".tshark.json")] = (theirs, ours)
        closed = closes_window(segments)
        assert sum(analysis.get("zero_window", 0) for analysis in told) == closed.sum(), answer.name
        zero_windows += int(closed.sum())
    assert {name: listed[:2] for name, listed in RETRANSMISSIONS.items()} == different
    assert zero_windows > 0


def closes_window(segments: pd.DataFrame) -> pd.Series:
    """Which segments have a window of zero by tshark's rule: no SYN, FIN or RST, and no error."""
    other = segments["flags"].astype(str).str.contains("S|F|R")
    return (segments["window"] == 0) & ~other & (segments["kind"] != "icmp_error")
