"""Pins where a row of Zeek's is over: its timers, and a SYN on a known four-tuple."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from zeek_ends import SECOND
from zeek_segments import BITS
from zeek_slot import Slot

from tcptrace.tracker.zeek_rows import HANDSHAKE_IDLE, IDLES, NEVER, EndpointState

Kernel = Callable[[str], ModuleType]
ESTABLISHED, CLOSED = EndpointState.ESTABLISHED, EndpointState.CLOSED


def opened() -> Slot:
    """A row whose first packet came at 0."""
    slot = Slot()
    slot.set(attempt_at=NEVER, delete_at=NEVER)
    return slot


def timers_of(kernel: Kernel, slot: Slot) -> Any:
    return slot.seen_by(kernel("tcptrace.tracker.zeek_timers").ZeekTimers())


def over(kernel: Kernel, slot: Slot, flags: str, seq: int, second: int) -> bool:
    """What `is_over` says; where it says yes it must be worth asking."""
    bits, timers = sum(BITS[letter] for letter in flags), timers_of(kernel, slot)
    may_be = timers.may_be_over(0, bits, second * SECOND)
    is_over = bool(timers.is_over(0, bits, seq, second * SECOND))
    assert may_be or not is_over
    return is_over


@pytest.mark.parametrize(
    ("flags", "seq", "closed", "again"),
    [("S", 100, 0, False), ("S", 101, 0, True), ("S", 100, 1, True)],
)
def test_syn_on_a_known_four_tuple(
    kernel: Kernel, flags: str, seq: int, closed: int, again: bool
) -> None:
    """The same number is a retry, unless a side has closed."""
    slot = opened()
    slot.set(state_0=EndpointState.SYN_SENT, start_0=100, closed_0=closed)
    assert again == over(kernel, slot, flags, seq, 1)


def test_syn_behind_its_own_syn_ack(kernel: Kernel) -> None:
    """Captured in the wrong order, they are one connection; any other SYN is a new one."""
    slot = opened()
    slot.set(state_0=EndpointState.SYN_ACK_SENT, start_0=900, start_1=100)
    assert not over(kernel, slot, "S", 100, 1)
    assert over(kernel, slot, "S", 101, 1)


@pytest.mark.parametrize(
    ("states", "closed", "silent", "ends"),
    [
        ((EndpointState.INACTIVE, EndpointState.INACTIVE), 0, 5, False),
        ((EndpointState.INACTIVE, EndpointState.INACTIVE), 0, 11, True),
        ((ESTABLISHED, ESTABLISHED), 0, 59, False),
        ((ESTABLISHED, ESTABLISHED), 0, 60, True),
        ((CLOSED, EndpointState.RESET), 1, 11, True),
        ((CLOSED, ESTABLISHED), 1, 11, False),
    ],
)
def test_silence_ends_a_row(
    kernel: Kernel,
    states: tuple[EndpointState, EndpointState],
    closed: int,
    silent: int,
    ends: bool,
) -> None:
    """Looked at 5 s after the beginning, then every 6 s; a half-closed one waits longer."""
    slot = opened()
    assert HANDSHAKE_IDLE == IDLES[slot.get("idle")]
    slot.set(state_0=states[0], state_1=states[1], closed_0=closed)
    assert ends == over(kernel, slot, "A", 1, silent)


@pytest.mark.parametrize("place", range(len(IDLES)))
def test_how_long_silence_is_borne(kernel: Kernel, place: int) -> None:
    """By the row's place in IDLES, to the second."""
    slot = opened()
    slot.set(state_0=ESTABLISHED, state_1=ESTABLISHED, idle=place)
    seconds = IDLES[place] // SECOND
    assert not over(kernel, slot, "A", 1, seconds - 1)
    assert over(kernel, slot, "A", 1, seconds)


@pytest.mark.parametrize(
    ("flags", "moment", "asked"),
    [
        *(("A", 4, False), ("A", 5, True), ("S", 4, True), ("SA", 4, True)),
    ],
)
def test_most_segments_come_before_any_timer(
    kernel: Kernel, flags: str, moment: int, asked: bool
) -> None:
    """5 s of silence, the other two timers, or a SYN are worth a look."""
    slot = opened()
    bits, now = sum(BITS[letter] for letter in flags), moment * SECOND
    assert asked == timers_of(kernel, slot).may_be_over(0, bits, now)
    for timer in ("attempt_at", "delete_at"):
        slot.set(attempt_at=NEVER, delete_at=NEVER)
        slot.set(**{timer: now})
        assert timers_of(kernel, slot).may_be_over(0, bits, now)
