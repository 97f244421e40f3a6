"""Pins `Odds`: what only some rows say comes out as it went in, and places are used again."""

from __future__ import annotations

from keeping import Kernel

from tcptrace.decode.segments import Segments
from tcptrace.tracker.slots import Evidence

RARE = {
    "packet": (1 << 40) + 5,
    "path": -(1 << 62) - 3,
    "payload": (1 << 32) - 1,
    "window": 65535,
    "interface": 7,
    "sack_blocks": 2,
    "sack_1_left": 0xFFFFFFF0,
    "sack_1_right": 800,
    "sack_2_left": 1000,
    "sack_2_right": 0x80000000,
    "icmp": 65536 + 256,
}


def _row(shift: int = 0) -> Segments:
    rows = Segments.zeros(1)
    for name, value in RARE.items():
        getattr(rows, name)[:] = value - shift
    return rows


def test_what_it_says_comes_out_as_it_went_in(kernel: Kernel) -> None:
    """Of many rows, each its own; the low half of the number is the brief's."""
    odds = kernel("tcptrace.tracker.odds").Odds()
    kept = [odds.write(_row(shift).cells, 0) for shift in range(600)]
    for shift in (0, 255, 256, 599):
        out = Evidence.zeros(1)
        out.packet[:] = _row(shift).packet & 0xFFFFFFFF
        odds.read(kept[shift], out.cells, 0)
        for name in set(RARE) & set(Evidence.COPIED):
            assert getattr(_row(shift), name).tolist() == getattr(out, name).tolist(), name
        assert _row(shift).path[0] == odds.path(kept[shift])
        assert _row(shift).interface[0] == odds.interface(kept[shift])
        assert _row(shift).payload[0] == odds.payload(kept[shift])


def test_a_place_that_was_let_go_is_the_next(kernel: Kernel) -> None:
    """Rows that come and go take no more room."""
    odds = kernel("tcptrace.tracker.odds").Odds()
    first = [odds.write(_row().cells, 0) for _ in range(3)]
    odds.let_go(first[1])
    assert first[1] == odds.write(_row().cells, 0)
    assert odds.write(_row().cells, 0) not in first
