"""Where walks begin: bounds of a packet, and link types that are no link type."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tcptrace.decode.decoder import Decoder
from tcptrace.sources.packets import Packets
from tests.decode.crafted import RAW, captured, cell, ipv4


def changed(packets: Packets, column: str, value: int) -> Packets:
    """The batch with one cell of its first row changed."""
    packets.matrix[0, Packets.index(column)] = value
    return packets


def test_captured_beyond_the_buffer(decoder: Callable[[], Decoder]) -> None:
    """A row that claims more octets than the batch has is read to the batch's end."""
    segments = decoder().feed(changed(captured([ipv4()], RAW), "captured", 1 << 40))
    assert (5, 5) == (cell(segments, "payload"), cell(segments, "kept"))


@pytest.mark.parametrize("captured_", [0, -5])
def test_no_octets(decoder: Callable[[], Decoder], captured_: int) -> None:
    """A packet of nothing is counted."""
    decoding = decoder()
    assert 0 == len(decoding.feed(changed(captured([ipv4()], RAW), "captured", captured_)))
    assert {"truncated-link": 1} == decoding.skipped


def test_empty_batch(decoder: Callable[[], Decoder]) -> None:
    """No packets, no rows."""
    decoding = decoder()
    assert 0 == len(decoding.feed(captured([])))
    assert {} == decoding.skipped


def test_rows_are_begun_anew(decoder: Callable[[], Decoder]) -> None:
    """The scratch rows of one batch leave nothing behind for the next, smaller one."""
    decoding = decoder()
    decoding.feed(captured([b"\x90" * 40] * 5, RAW))
    assert [1, 2] == decoding.feed(captured([ipv4(), ipv4()], RAW)).packet.tolist()
    assert {"not-ip": 5} == decoding.skipped
