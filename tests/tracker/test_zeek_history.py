"""Pins the letters of a history, those for which a row has no room included."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from zeek_slot import Slot

from tcptrace.tcp import flags as bits
from tcptrace.tracker import zeek_machine as machine
from tcptrace.tracker.zeek_rows import LONGEST_HISTORY, ZeekSlots

Kernel = Callable[[str], ModuleType]
SLOT_0 = np.zeros(1, np.int64)


def histories_of(kernel: Kernel, slot: Slot) -> Any:
    return slot.seen_by(kernel("tcptrace.tracker.zeek_history").ZeekHistories())


def kind(flags: int, has_payload: bool = False) -> int:
    """A segment's place in the tables of letters."""
    return machine.place(True, 0, 0, flags, has_payload)


def test_letter_for_the_first_tenth_and_hundredth(kernel: Kernel) -> None:
    """Of a kind that is counted; a small one where the responder is meant."""
    slot = Slot()
    histories = histories_of(kernel, slot)
    for count in range(1, 1001):
        histories.add(0, 0, ord("T"), count)
    histories.add(0, 1, ord("W"), 1)
    assert ["TTTTw"] == histories.of(SLOT_0)


def test_reset_elsewhere_is_a_letter_more(kernel: Kernel) -> None:
    """The same one is none, nor is more data; the other role has letters of its own."""
    slot = Slot()
    histories = histories_of(kernel, slot)
    for place in (5, 5, 6):
        histories.add_own(0, 0, kind(bits.RST), bits.RST, place)
        histories.add_own(0, 0, kind(bits.ACK, True), 0, place)
    histories.add_own(0, 1, kind(bits.ACK, True), 0, 5)
    assert ["RDRd"] == histories.of(SLOT_0)
    assert (6, 0) == (slot.get("rst_mark_0"), slot.get("rst_mark_1"))


def test_syn_ack_first_swaps_the_roles(kernel: Kernel) -> None:
    """Once data or an ACK follows it from the same side."""
    slot = Slot()
    histories = histories_of(kernel, slot)
    histories.add_own(0, 0, kind(bits.SYN | bits.ACK), bits.SYN, 0)
    assert ["H"] == histories.of(SLOT_0)
    histories.add_own(0, 0, kind(bits.ACK), 0, 1)
    assert ["^ha"] == histories.of(SLOT_0)
    assert 1 == slot.get("orig")


def test_longer_than_a_row_has_room_for(kernel: Kernel) -> None:
    """The rest is beside the row, up to the longest of ours, and may be dropped."""
    slot = Slot()
    histories = histories_of(kernel, slot)
    room = ZeekSlots.room()
    for length in range(1, LONGEST_HISTORY + 1):
        histories.add(0, 0, ord("R"), 1)
        if abs(length - room) < 3:
            assert ["R" * length] == histories.of(SLOT_0)
            assert (length > room) == bool(histories.tails)
    histories.add(0, 0, ord("R"), 1)
    assert ["R" * LONGEST_HISTORY] == histories.of(SLOT_0)
    histories.drop_tail(0)
    assert ({}, ["R" * room]) == (histories.tails, histories.of(SLOT_0))


def test_no_slots_no_histories(kernel: Kernel) -> None:
    """An empty list of slots gives an empty list."""
    assert [] == histories_of(kernel, Slot()).of(SLOT_0[:0])
