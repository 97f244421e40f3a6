"""Pins what the Zeek model knows of a stream; `test_zeek` pins it with the rest."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from tcptrace.tracker.zeek_rows import ABOVE_HOLE, EndpointState

Kernel = Callable[[str], ModuleType]


def sides(kernel: Kernel) -> tuple[Any, Any]:
    made = kernel("tcptrace.tracker.zeek_side").Side
    return made(0), made(1)


def test_half_open_probe_sends_no_octets(kernel: Kernel) -> None:
    """A SYN answered by an old ACK and aborted: numbers far apart are no size."""
    side, peer = sides(kernel)
    side.start, side.last, side.acked = 100, 101, 90_000
    side.before, side.state = EndpointState.SYN_SENT, EndpointState.RESET
    assert 0 == side.size(peer)
    side.before = EndpointState.ESTABLISHED
    assert 89_899 == side.size(peer)


def test_stream_whose_acks_are_not_captured_is_given_up(kernel: Kernel) -> None:
    """16 KiB above a hole and nothing acknowledged."""
    side, peer = sides(kernel)
    for start, given_up in ((100, False), (101 + ABOVE_HOLE, True)):
        side.high = start + 10
        side.store(peer, start, start + 10)
        assert given_up == side.given_up
    assert side.blocks is None
