"""Fragments put together: any order, any cut, overlaps, lies and floods."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptrace.decode import fragments as module
from tcptrace.decode.fragments import LARGEST, LIFETIME, Fragment, Fragments

SECOND = 10**9
KEY = (0, 1, 0, 2, 0, 7, 6)
PAYLOAD = bytes(range(256)) * 4


def cut(payload: bytes, size: int, key: tuple[int, ...] = KEY) -> list[Fragment]:
    """A datagram's fragments, `size` octets each."""
    return [
        Fragment(key, at, len(payload[at : at + size]), at + size < len(payload),
                 payload[at : at + size], 6)
        for at in range(0, len(payload), size)
    ]  # fmt: skip


@given(st.integers(1, 60), st.randoms(use_true_random=False), st.integers(1, len(PAYLOAD)))
def test_any_order(units: int, order: random.Random, length: int) -> None:
    """The last to come completes the datagram, whichever it is; copies change nothing."""
    pieces = cut(PAYLOAD[:length], 8 * units)
    order.shuffle(pieces)
    together = Fragments()
    for piece in pieces[:-1]:
        assert together.add(piece, [piece.offset], 0) is None
        assert together.add(piece, [piece.offset], 0) is None
    whole = together.add(pieces[-1], [pieces[-1].offset], 0)
    assert whole is not None
    assert (PAYLOAD[:length], length, 6, [0]) == whole[:4]
    assert 2 * len(pieces) - 1 == whole.fragments


def test_datagrams_do_not_mix() -> None:
    """Fragments of another identification or path belong to another datagram."""
    together = Fragments()
    other = (*KEY[:-2], 8, 6)
    first, last = cut(PAYLOAD, 512)
    assert together.add(first, [], 0) is None
    assert together.add(cut(PAYLOAD, 512, other)[1], [], 0) is None
    assert together.add(last, [], 0) is not None


def test_overlap_keeps_what_came_first() -> None:
    """Octets that are there already stay; the overlap is counted."""
    together = Fragments()
    together.add(Fragment(KEY, 0, 16, True, b"a" * 16, 6), [], 0)
    together.add(Fragment(KEY, 8, 16, True, b"b" * 16, 6), [], 0)
    whole = together.add(Fragment(KEY, 16, 16, False, b"c" * 16, 6), [], 0)
    assert whole is not None and b"a" * 16 + b"b" * 8 + b"c" * 8 == whole.kept
    assert 2 == together.overlaps


def test_snap_length_cut_a_fragment() -> None:
    """The lengths on the wire complete the datagram; kept is what precedes the first hole."""
    together = Fragments()
    together.add(Fragment(KEY, 0, 64, True, b"a" * 20, 6), [], 0)
    whole = together.add(Fragment(KEY, 64, 30, False, b"b" * 30, 6), [], 0)
    assert whole is not None and (b"a" * 20, 94) == (whole.kept, whole.length)


@pytest.mark.parametrize(
    "fragment",
    [
        Fragment(KEY, 65_528, 16, False, bytes(16), 6),
        Fragment(KEY, 0, 13, True, bytes(13), 6),
        Fragment(KEY, 8, 0, False, b"", 6),
        Fragment(KEY, 8, -8, False, b"", 6),
    ],
    ids=["ping of death", "no whole units", "empty", "negative"],
)
def test_fragments_that_fit_nowhere(fragment: Fragment) -> None:
    """Dropped and counted; what was there is not spoilt."""
    together = Fragments()
    first, last = cut(PAYLOAD, 512)
    together.add(first, [], 0)
    assert together.add(fragment, [], 0) is None
    assert 1 == together.dropped
    assert together.add(last, [], 0) is not None


def test_teardrop() -> None:
    """A last fragment that ends inside the first one takes part in no datagram."""
    together = Fragments()
    together.add(Fragment(KEY, 0, 40, True, bytes(40), 6), [], 0)
    assert together.add(Fragment(KEY, 24, 4, False, bytes(4), 6), [], 0) is None
    assert 1 == together.dropped


def test_two_ends() -> None:
    """A second last fragment elsewhere, or octets beyond the end, are dropped."""
    together = Fragments()
    together.add(Fragment(KEY, 64, 8, False, bytes(8), 6), [], 0)
    assert together.add(Fragment(KEY, 32, 8, False, bytes(8), 6), [], 0) is None
    assert together.add(Fragment(KEY, 72, 8, True, bytes(8), 6), [], 0) is None
    assert 2 == together.dropped


def test_late_fragment_completes_nothing() -> None:
    """After a minute its datagram is forgotten; clocks that step back forget nothing."""
    first, last = cut(PAYLOAD, 512)
    for later, whole in ((LIFETIME, True), (LIFETIME + 1, False), (-SECOND, True)):
        together = Fragments()
        together.add(first, [], 0)
        assert whole == (together.add(last, [], later) is not None)


def test_flood_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unfinished datagrams and octets stay below their bounds, the oldest going first."""
    monkeypatch.setattr(module, "MAX_DATAGRAMS", 4)
    together = Fragments()
    for number in range(100):
        together.add(cut(PAYLOAD, 512, (number,))[0], [], 0)
    assert together.add(cut(PAYLOAD, 512, (96,))[1], [], 0) is not None
    assert together.add(cut(PAYLOAD, 512, (90,))[1], [], 0) is None
    monkeypatch.setattr(module, "MAX_OCTETS", 2 * LARGEST)
    big = bytes(65_528)
    for number in range(200, 210):
        together.add(Fragment((number,), 0, len(big), True, big, 6), [], 0)
    assert together.add(Fragment((200,), len(big), 4, False, b"last", 6), [], 0) is None
    assert together.add(Fragment((209,), len(big), 4, False, b"last", 6), [], 0) is not None


def test_one_datagram_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A datagram of endless copies of one fragment stops growing."""
    monkeypatch.setattr(module, "MAX_FRAGMENTS", 10)
    together = Fragments()
    for _ in range(100):
        together.add(cut(PAYLOAD, 512)[0], [], 0)
    assert 90 == together.dropped


def test_handed_over_to_one_who_goes_on() -> None:
    """What the other had is there, and what it dropped is not counted twice; it keeps its own."""
    first, second = cut(PAYLOAD[:64], 32)
    before = Fragments()
    assert before.add(first, [0], 0) is None
    assert before.add(first._replace(offset=LARGEST), [0], 0) is None
    after = before.handed_over()
    assert (1, 0, 1) == (before.dropped, after.dropped, len(after))
    whole = after.add(second, [32], 0)
    assert whole is not None
    assert (PAYLOAD[:64], 0, 1) == (whole.kept, len(after), len(before))
