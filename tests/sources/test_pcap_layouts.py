"""Which record layout a pcap file uses, told by its first records."""

from __future__ import annotations

from tcptrace.sources.pcap_layouts import LAYOUTS, PLAIN, best_layout
from tests.sources.crafted import SECOND, SOME, T0, Told, pcap

STANDARD, MODIFIED = LAYOUTS[0xA1B2C3D4], LAYOUTS[0xA1B2CD34]
LIMIT = 262_144


def best(layouts: tuple, octets: bytes) -> tuple[str, bool]:
    layout, is_whole = best_layout(layouts, memoryview(octets), "<", LIMIT, LIMIT)
    return layout.name, is_whole


def test_no_records_are_the_likeliest_layout() -> None:
    """A file without packets gives nothing to tell by."""
    assert ("pcap", False) == best(STANDARD, b"")
    assert ("pcap-modified", False) == best(MODIFIED, b"")


def test_three_whole_records_decide() -> None:
    """Nothing behind them is looked at."""
    records = pcap(SOME[:3])[24:]
    assert ("pcap", True) == best(STANDARD, records + b"\xff" * 100)


def test_cut_records_ask_for_more() -> None:
    """The best guess so far, with the hint that it is one."""
    assert ("pcap", False) == best(STANDARD, pcap([Told(T0, bytes(5000))] * 3)[24:-1])


def test_odd_times_alone_do_not_move_a_plain_file() -> None:
    """A plain file with invalid fractions still fits best as a plain file."""
    odd = [Told(T0 + SECOND - 1, b"\xff" * 60)] * 3
    crafted = bytearray(pcap(odd)[24:])
    for record in range(3):
        at = record * 76
        crafted[at + 4 : at + 8] = (2_000_000).to_bytes(4, "little")
    assert (PLAIN.name, True) == best(STANDARD, bytes(crafted) + b"more")


def test_a_cut_plain_file_stays_plain() -> None:
    """Zeros in a payload look like the longer header of a patched record; a cut must not decide."""
    for size in (1, 5, 17, 5000):
        assert "pcap" == best(STANDARD, pcap([Told(T0, bytes(5000))] * 2)[24:-size])[0]
