"""Keeps the loads what they claim to be; dpkt, which had no part in writing them, reads them."""

from __future__ import annotations

from pathlib import Path

import dpkt
import pytest

import tcptrace
from tests.benchmarks.loads import make
from tests.benchmarks.mixes import CATALOGUES, ELEPHANTS
from tests.benchmarks.wish import Mix, Wish

PACKETS = 3_000
BOTH_FAMILIES = 2  # a host has an IPv4 and an IPv6 address


@pytest.fixture(scope="module", params=[*Mix])
def load(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole load of each mix."""
    path = tmp_path_factory.mktemp("loads") / f"{request.param}.pcap"
    make(Wish(request.param, PACKETS, 0), path)
    return path


def frames(path: Path) -> list[tuple[float, bytes]]:
    """(time, frame) by dpkt."""
    with path.open("rb") as file:
        return list(dpkt.pcap.Reader(file))


def test_load_has_as_many_packets_as_named_in_the_order_of_time(load: Path) -> None:
    """A size in a table is that size."""
    times = [time for time, _ in frames(load)]
    assert PACKETS == len(times)
    assert sorted(times) == times


def test_checksums_are_right(load: Path) -> None:
    """Else a program that checks them would drop the segment and do less than its work."""
    for _, frame in frames(load):
        ip = dpkt.ethernet.Ethernet(frame).data
        six = ip.v == 6
        octets = bytes(ip)
        start = 40 if six else ip.hl * 4
        segment = octets[start:]
        ends = octets[8:40] if six else octets[12:20]
        assert 0 == dpkt.dpkt.in_cksum(
            ends + len(segment).to_bytes(4, "big") + b"\0\0\0\6" + segment
        )
        assert six or 0 == dpkt.dpkt.in_cksum(octets[:start])


def test_every_packet_is_a_segment_of_a_connection_begun_once(load: Path) -> None:
    """Nothing is damaged, and no four-tuple is used twice."""
    trace = tcptrace.read(load, progress=False)
    assert PACKETS == trace.capture.segments
    assert {} == {reason: count for reason, count in trace.capture.skipped.items() if count}
    assert 0 == trace.connections["incarnation"].max()
    assert {"syn"} == set(trace.connections["orientation"])


def test_mix_is_what_its_name_says(load: Path) -> None:
    """By Zeek's words for how connections ended."""
    trace = tcptrace.read(load, progress=False)
    table = trace.connections
    ends = table["conn_state"].value_counts(normalize=True)
    if load.stem == Mix.WEB:
        assert 15 < PACKETS / len(table) < 60
        assert {"SF", "REJ", "S0"} < set(ends[ends > 0].index)
        assert table["resp_retransmits"].sum() > 0
    elif load.stem == Mix.ELEPHANTS:
        assert ELEPHANTS == len(table)
        assert table["resp_bytes"].sum() > PACKETS / 2 * 1000
    elif load.stem == Mix.SCAN:
        assert ends["S0"] + ends["REJ"] > 0.9
        assert BOTH_FAMILIES == table["orig_ip"].nunique()
    else:
        assert ends["S0"] + ends["S1"] > 0.9
        assert len(table) == table["orig_ip"].nunique()
        assert BOTH_FAMILIES == table["resp_ip"].nunique()


def test_same_wish_gives_same_octets(tmp_path: Path) -> None:
    """Counts are held against a record, so the load may not change by itself."""
    one, two, other = (tmp_path / name for name in ("one", "two", "other"))
    make(Wish(Mix.WEB, 500, 96), one)
    make(Wish(Mix.WEB, 500, 96), two)
    make(Wish(Mix.WEB, 500, 96), other, seed=1)
    assert one.read_bytes() == two.read_bytes() != other.read_bytes()


def test_cut_load_keeps_the_beginning_of_the_whole_one(tmp_path: Path) -> None:
    """96 octets of each packet, and nothing else is different."""
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    make(Wish(Mix.WEB, 500, 96), cut)
    make(Wish(Mix.WEB, 500, 0), whole)
    assert [(time, frame[:96]) for time, frame in frames(whole)] == frames(cut)


def test_every_mix_has_a_catalogue() -> None:
    """A further mix is one row in each."""
    assert set(Mix) == set(CATALOGUES)
