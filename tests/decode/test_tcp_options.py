"""TCP options: every kind, lengths that lie."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP
from scapy.packet import Raw

from tcptrace.decode.decoder import Decoder
from tcptrace.decode.segments import Kind
from tests.decode.crafted import RAW, captured, cell

BOTH = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def behind(options: bytes) -> bytes:
    """The segment with these options, padded to words of four by RFC 9293's end of list."""
    padded = options + bytes(-len(options) % 4)
    octets = bytearray(bytes(TCP(sport=40000, dport=80, seq=1, flags="A")) + padded)
    octets[12] = (len(octets) // 4) << 4
    return bytes(IP(src="10.0.0.1", dst="10.0.0.2", proto=6) / Raw(bytes(octets)))


def test_every_option(decoder: Callable[[], Decoder]) -> None:
    """MSS, window scale, SACK-permitted, timestamps, Fast Open, as a SYN has them."""
    options: list[tuple[str, Any]] = [
        ("MSS", 1460),
        ("SAckOK", b""),
        ("Timestamp", (0xFFFFFFFF, 0)),
        ("WScale", 14),
        ("TFO", (1, 2)),
    ]
    packet = IP() / TCP(flags="S", options=options)
    segments = decoder().feed(captured([packet], RAW))
    told = {
        "mss": 1460,
        "sack_permitted": 1,
        "has_timestamp": 1,
        "tsval": 0xFFFFFFFF,
        "tsecr": 0,
        "window_scale": 14,
        "fast_open": 1,
        "ack": 0,
    }
    assert told == {name: cell(segments, name) for name in told}


@pytest.mark.parametrize("blocks", range(5))
def test_sack_blocks(decoder: Callable[[], Decoder], blocks: int) -> None:
    """Zero to four blocks, left and right edges in their order."""
    edges = [0xFFFFFFF0 + 2 * edge & 0xFFFFFFFF for edge in range(2 * blocks)]
    octets = bytes([5, 2 + 8 * blocks]) + b"".join(edge.to_bytes(4) for edge in edges)
    segments = decoder().feed(captured([behind(octets)], RAW))
    names = [f"sack_{block}_{side}" for block in range(1, 5) for side in ("left", "right")]
    assert blocks == cell(segments, "sack_blocks")
    assert edges + [0] * (8 - 2 * blocks) == [cell(segments, name) for name in names]


def test_experimental_fast_open(decoder: Callable[[], Decoder]) -> None:
    """Option 254 is Fast Open only with its identifier."""
    packets = [behind(bytes.fromhex(octets)) for octets in ("fe04f989", "fe04abcd", "2202")]
    assert [1, 0, 1] == decoder().feed(captured(packets, RAW)).fast_open.tolist()


@pytest.mark.parametrize(
    "options", ["0800", "0801", "08ff", "0500", "02", "0204", "01010802", "fefe", "0522" + "00" * 4]
)
def test_option_lengths_that_lie(decoder: Callable[[], Decoder], options: str) -> None:
    """The walk over options stops; the segment itself stands."""
    decoding = decoder()
    segments = decoding.feed(captured([behind(bytes.fromhex(options))], RAW))
    assert (Kind.SEGMENT, 0) == (cell(segments, "kind"), cell(segments, "has_timestamp"))


def test_options_after_the_end_do_not_count(decoder: Callable[[], Decoder]) -> None:
    """What follows the end of the list is padding."""
    segments = decoder().feed(captured([behind(b"\0" + bytes.fromhex("020405b4"))], RAW))
    assert -1 == cell(segments, "mss")


@BOTH
@given(st.binary(max_size=40))
def test_any_options(decoder: Callable[[], Decoder], options: bytes) -> None:
    """Whatever the options are, one row comes of the segment."""
    assert 1 == len(decoder().feed(captured([behind(options)], RAW)))
