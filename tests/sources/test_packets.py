"""Batches of packets keep their bytes when they are cut and joined."""

from __future__ import annotations

import numpy as np

from tcptrace.sources.packets import Packets


def batch(pieces: list[bytes], padding: bytes = b"") -> Packets:
    """A batch whose bytes lie one after the other behind `padding`."""
    packets = Packets.zeros(len(pieces))
    at = len(padding)
    for row, piece in enumerate(pieces):
        packets.offset[row], packets.captured[row] = at, len(piece)
        at += len(piece)
    packets.data = memoryview(padding + b"".join(pieces))
    return packets


def contents(packets: Packets) -> list[bytes]:
    return [packets.packet_bytes(row) for row in range(len(packets))]


def test_take_keeps_the_bytes() -> None:
    """A slice, an index array and a mask all leave the packets' bytes where they are."""
    packets = batch([b"one", b"two", b"three"])
    assert [b"two", b"three"] == contents(packets.take(slice(1, None)))
    assert [b"three", b"one"] == contents(packets.take(np.array([2, 0])))
    assert [b"two"] == contents(packets.take(np.array([False, True, False])))
    assert packets.take(slice(1)).data is packets.data


def test_concat_joins_bytes_of_different_buffers() -> None:
    """Offsets are moved to where each batch's bytes come to lie."""
    joined = Packets.concat([batch([b"one", b"two"]), batch([b"three"], b"padding"), batch([b""])])
    assert [b"one", b"two", b"three", b""] == contents(joined)


def test_concat_of_cuts_of_one_buffer_copies_nothing() -> None:
    """Cuts of one batch share its buffer, joined or not."""
    packets = batch([b"one", b"two", b"three"])
    joined = Packets.concat([packets.take(slice(2, 3)), packets.take(slice(0, 1))])
    assert [b"three", b"one"] == contents(joined)
    assert joined.data is packets.data


def test_concat_leaves_its_parts_as_they_were() -> None:
    """The parts may still be in someone's hand."""
    first, second = batch([b"one"], b"before"), batch([b"two"], b"before")
    Packets.concat([first, second])
    assert [b"one"] == contents(first)
    assert [b"two"] == contents(second)


def test_concat_keeps_only_the_bytes_in_use() -> None:
    """A small cut of a large buffer does not carry the buffer along."""
    joined = Packets.concat([batch([b"one"], bytes(1000)), batch([b"two"], bytes(1000))])
    assert b"onetwo" == bytes(joined.data)


def test_concat_of_nothing() -> None:
    """No batches, or empty ones, make an empty batch."""
    assert 0 == len(Packets.concat([]))
    assert 0 == len(Packets.concat([Packets.zeros(0), Packets.zeros(0)]))
