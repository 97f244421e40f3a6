"""pcapng: sections, interfaces, clocks, blocks of every kind, made byte by byte and by dpkt."""

from __future__ import annotations

import io
import struct
from fractions import Fraction
from pathlib import Path

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptrace.errors import CaptureError
from tests.sources.crafted import (
    SECOND,
    SOME,
    T0,
    Told,
    as_told,
    block,
    enhanced,
    expected,
    interface,
    obsolete,
    option,
    pcapng,
    read,
    section,
    simple,
    written,
)

RAW = 101
NAME, DESCRIPTION, RESOLUTION, FILTER, SYSTEM, FCS, OFFSET = 2, 3, 9, 11, 12, 13, 14
LATEST = (1 << 62) - 1


@pytest.mark.parametrize("order", "<>")
def test_enhanced_packets_in_both_byte_orders(tmp_path: Path, order: str) -> None:
    """Times, lengths and octets come out as they were written."""
    packets, capture = read(written(tmp_path, pcapng(SOME, order)))
    assert expected(SOME) == as_told(packets)
    assert "pcapng" == capture.files[0].format
    assert [1, 2, 3, 4] == packets.number.tolist()
    assert capture.files[0].truncated_at is None


@pytest.mark.parametrize("order", "<>")
def test_all_three_kinds_of_packet_block(tmp_path: Path, order: str) -> None:
    """A simple packet has no time of its own: it gets that of the packet before it."""
    crafted = section(order) + interface(order=order) + simple(SOME[0], order)
    crafted += enhanced(SOME[2], order=order) + obsolete(SOME[3], order=order)
    crafted += simple(SOME[0], order)
    packets, capture = read(written(tmp_path, crafted))
    times = [0, SOME[2].time, SOME[3].time, SOME[3].time]
    assert times == packets.time.tolist()
    assert [t.octets for t in (SOME[0], SOME[2], SOME[3], SOME[0])] == [
        told.octets for told in as_told(packets)
    ]
    assert 2 == capture.files[0].untimed


def test_simple_packets_are_cut_by_the_snap_length(tmp_path: Path) -> None:
    """Its captured length is the least of its length, the snap length and the block's room."""
    crafted = section() + interface(snap=8) + simple(Told(0, b"12345678", 60))
    packets, _ = read(written(tmp_path, crafted + simple(Told(0, b"123", 3))))
    assert [Told(0, b"12345678", 60), Told(0, b"123", 3)] == as_told(packets)


def test_sections_have_byte_orders_and_interfaces_of_their_own(tmp_path: Path) -> None:
    """Interface numbers of a file run on over its sections."""
    crafted = section("<") + interface() + interface(RAW) + enhanced(SOME[0], index=1)
    crafted += section(">") + interface(RAW, order=">") + enhanced(SOME[1], order=">")
    packets, capture = read(written(tmp_path, crafted))
    assert expected(SOME[:2]) == as_told(packets)
    assert [RAW, RAW] == packets.link_type.tolist()
    assert [1, 2] == packets.interface.tolist()
    assert [1, RAW, RAW] == [each.link_type for each in capture.files[0].interfaces]


def exact(ticks: int, resolution: int, offset: int) -> int:
    """ns since the epoch by rational arithmetic, clamped as promised."""
    base, exponent = (2, resolution & 0x7F) if resolution & 0x80 else (10, resolution)
    time = int(Fraction(ticks, base**exponent) * SECOND) + offset * SECOND
    if abs(time // SECOND) > LATEST // SECOND - 1:
        return LATEST if time > 0 else -LATEST
    return time


@given(
    st.integers(0, 2**64 - 1),
    st.integers(0, 255),
    st.sampled_from([0, 1, -1, 1_700_000_000, -1_700_000_000, 2**63 - 1, -(2**63)]),
)
def test_every_resolution_and_offset(ticks: int, resolution: int, offset: int) -> None:
    """if_tsresol of any power of 10 and 2 and if_tsoffset are exact to the ns below."""
    options = option(RESOLUTION, bytes([resolution])) + option(OFFSET, struct.pack("<q", offset))
    crafted = section() + interface(options=options) + enhanced(Told(0, b"x"), ticks=ticks)
    packets, capture = read(io.BytesIO(crafted))
    want = exact(ticks, resolution, offset)
    assert want == packets.time[0]
    assert (abs(want) == LATEST) == (capture.files[0].clamped_times == 1)


def test_interfaces_tell_of_themselves(tmp_path: Path) -> None:
    """Names, filter, system, FCS length; counters from the statistics block."""
    options = option(NAME, b"eth0") + option(DESCRIPTION, "Büro".encode()) + option(FCS, b"\x20")
    options += option(FILTER, b"\0tcp port 80") + option(SYSTEM, b"Linux") + option(0, b"")
    counters = option(4, struct.pack("<Q", 1000)) + option(5, struct.pack("<Q", 7))
    counters += option(7, struct.pack("<Q", 3))
    crafted = section() + interface(snap=96, options=options) + enhanced(SOME[0])
    crafted += block(5, struct.pack("<III", 0, 0, 0) + counters)
    _, capture = read(written(tmp_path, crafted))
    facts = capture.files[0].interfaces[0]
    assert (96, "eth0", "Büro", "tcp port 80", "Linux", 32) == (
        facts.snap_length,
        facts.name,
        facts.description,
        facts.filter,
        facts.system,
        facts.fcs_bits,
    )
    assert (1000, 7, 3) == (facts.received, facts.dropped, facts.dropped_by_system)


@pytest.mark.parametrize("kind", [4, 10, 7, 0x80000001, 0x7777, 8, 9, 0xBAD, 0x40000BAD, 0x204])
@pytest.mark.parametrize("size", [0, 5, 3 << 20])
def test_other_blocks_are_passed_over(tmp_path: Path, kind: int, size: int) -> None:
    """Names, secrets, custom and unknown blocks, also longer than what is held in memory."""
    crafted = section() + interface() + enhanced(SOME[0]) + block(kind, bytes(size))
    packets, capture = read(written(tmp_path, crafted + enhanced(SOME[2])))
    assert expected([SOME[0], SOME[2]]) == as_told(packets)
    assert capture.files[0].truncated_at is None


@pytest.mark.parametrize(
    ("kind", "counted"),
    [(4, False), (10, False), (7, False), (0x7777, False), (9, True), (0x204, True),
     (0x216, True), (0xBAD, True), (0x40000BAD, True)],
)  # fmt: skip
def test_packet_numbers_are_wiresharks(tmp_path: Path, kind: int, counted: bool) -> None:
    """Blocks that Wireshark shows as frames take a number, though they are no packets."""
    crafted = section() + interface() + enhanced(SOME[0]) + block(kind, bytes(40))
    packets, _ = read(written(tmp_path, crafted + enhanced(SOME[2])))
    assert [1, 3 if counted else 2] == packets.number.tolist()


def test_block_length_without_its_padding(tmp_path: Path) -> None:
    """Some writers give the length of what the block holds; it is rounded up, as Wireshark does."""
    crafted = bytearray(section() + interface() + enhanced(Told(T0, b"abcde")))
    for at in (48 + 4, len(crafted) - 4):
        crafted[at : at + 4] = struct.pack("<I", 37)
    packets, _ = read(written(tmp_path, bytes(crafted)))
    assert [Told(T0, b"abcde", 5)] == as_told(packets)


def damaged() -> dict[str, tuple[bytes, str]]:
    """Name → a damaged block, and what was expected there."""
    good = enhanced(SOME[0])
    long = bytearray(good)
    long[20:24] = struct.pack("<I", 1000)
    huge = bytearray(good)
    huge[20:24] = struct.pack("<I", 1 << 30)
    ends = good[:-4] + struct.pack("<I", 99)
    return {
        "length too small": (struct.pack("<III", 6, 8, 8), "a block length of 12 or more"),
        "no such interface": (enhanced(SOME[0], index=5), "an interface that was described"),
        "packet longer than block": (bytes(long), "a block length of 1032 or more"),
        "packet absurdly long": (bytes(huge), "at most 262172 octets"),
        "lengths differ": (ends, "again at the block's end"),
        "block far too long": (struct.pack("<II", 6, 1 << 31) + good[8:], "a block length for"),
        "byte-order magic": (b"\x0a\x0d\x0d\x0a" + bytes(24), "a byte-order magic"),
        "section version": (section(major=2), "pcapng version 1"),
        "interface cut": (block(1, b"\0\0\0\0"), "a block length of 20"),
        "statistics of none": (block(5, struct.pack("<III", 9, 0, 0)), "statistics of an"),
        "interface too long": (struct.pack("<II", 1, 1 << 30) + bytes(30), "a block length of 20"),
    }


@pytest.mark.parametrize("name", damaged())
def test_damage_ends_the_reading(tmp_path: Path, name: str) -> None:
    """What came before is kept; where and why is told; before the first packet it is an error."""
    bad, why = damaged()[name]
    good = pcapng(SOME)
    packets, capture = read(written(tmp_path, good + bad + bytes(40)))
    assert expected(SOME) == as_told(packets)
    assert len(good) == capture.files[0].truncated_at
    assert why in capture.files[0].damage
    with pytest.raises(CaptureError, match="at byte 48: expected "):
        read(written(tmp_path, pcapng([]) + bad + bytes(40)))


def test_first_section_header_must_be_sound(tmp_path: Path) -> None:
    """Else this is no pcapng file."""
    for crafted in (section()[:20], section(major=3), b"\x0a\x0d\x0d\x0a" + bytes(30)):
        with pytest.raises(CaptureError, match="expected"):
            read(written(tmp_path, crafted))


def test_malformed_options_are_let_be(tmp_path: Path) -> None:
    """Options end where they stop making sense; odd sizes of known ones mean nothing."""
    options = option(RESOLUTION, b"") + option(OFFSET, b"\1") + option(FILTER, b"")
    options += struct.pack("<HH", NAME, 500) + b"eth0"
    packets, capture = read(
        written(tmp_path, section() + interface(options=options) + enhanced(SOME[0]))
    )
    assert expected(SOME[:1]) == as_told(packets)
    assert capture.files[0].interfaces[0].name is None


def test_many_interfaces(tmp_path: Path) -> None:
    """The table of interfaces grows."""
    crafted = section() + b"".join(interface(snap=n) for n in range(300))
    packets, capture = read(written(tmp_path, crafted + enhanced(SOME[0], index=299)))
    assert [299] == packets.interface.tolist()
    assert 300 == len(capture.files[0].interfaces)


def test_what_dpkt_writes(tmp_path: Path) -> None:
    """An independent writer."""
    file = io.BytesIO()
    writer = dpkt.pcapng.Writer(file)
    for told in SOME:
        writer.writepkt(told.octets, ts=told.time / SECOND)
    packets, _ = read(written(tmp_path, file.getvalue()))
    assert [told.octets for told in SOME] == [told.octets for told in as_told(packets)]
    assert [told.time // 10_000 for told in SOME] == (packets.time // 10_000).tolist()
