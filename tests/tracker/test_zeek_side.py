"""Pins what the Zeek model knows of a stream; `test_zeek` pins it with the rest."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from zeek_slot import Slot

from tcptrace.tracker.zeek_rows import ABOVE_HOLE, EndpointState

Kernel = Callable[[str], ModuleType]


def sides_of(kernel: Kernel, slot: Slot) -> Any:
    return slot.seen_by(kernel("tcptrace.tracker.zeek_side").ZeekSides())


@pytest.mark.parametrize("own", [0, 1])
def test_half_open_probe_sends_no_octets(kernel: Kernel, own: int) -> None:
    """A SYN answered by an old ACK and aborted: numbers far apart are no size."""
    slot = Slot()
    slot.set(**{f"start_{own}": 100, f"last_{own}": 101, f"acked_{own}": 90_000})
    slot.set(**{f"before_{own}": EndpointState.SYN_SENT, f"state_{own}": EndpointState.RESET})
    assert 0 == sides_of(kernel, slot).size(0, own)
    slot.set(**{f"before_{own}": EndpointState.ESTABLISHED})
    assert 89_899 == sides_of(kernel, slot).size(0, own)


@pytest.mark.parametrize("own", [0, 1])
def test_stream_whose_acks_are_not_captured_is_given_up(kernel: Kernel, own: int) -> None:
    """16 KiB above a hole and nothing acknowledged."""
    slot = Slot()
    slot.set(**{f"delivered_{own}": 1, f"trimmed_{own}": 1})
    sides = sides_of(kernel, slot)
    for start, given_up in ((100, 0), (101 + ABOVE_HOLE, 1)):
        slot.set(**{f"high_{own}": start + 10})
        sides.store(0, own, start, start + 10)
        assert given_up == slot.get(f"given_up_{own}")
    assert (0, {}) == (slot.get(f"holes_{own}"), sides.blocks)


def test_holes_of_both_streams_are_kept_apart(kernel: Kernel) -> None:
    """Each is filled by its own octets, and nothing is kept of one that is."""
    slot = Slot()
    slot.set(delivered_0=1, trimmed_0=1, delivered_1=1, trimmed_1=1)
    sides = sides_of(kernel, slot)
    sides.store(0, 0, 11, 21)
    sides.store(0, 1, 31, 41)
    assert (11, 31) == (sides.next_hole(0, 0, 99), sides.next_hole(0, 1, 99))
    sides.store(0, 0, 1, 11)
    assert (21, 1) == (slot.get("delivered_0"), slot.get("delivered_1"))
    assert (0, 1) == (slot.get("holes_0"), slot.get("holes_1"))
    assert [1] == list(sides.blocks)
    assert (99, 31) == (sides.next_hole(0, 0, 99), sides.next_hole(0, 1, 99))
