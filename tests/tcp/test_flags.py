"""The control bits and their letters."""

from __future__ import annotations

import pytest

from tcptrace.tcp import flags


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        (0, ""),
        (flags.SYN, "S"),
        (flags.SYN | flags.ACK, "SA"),
        (flags.FIN | flags.PSH | flags.ACK, "FPA"),
        (0x1FF, "FSRPAUECe"),
    ],
)
def test_letters_come_in_the_order_of_the_bits(bits: int, expected: str) -> None:
    """One letter a bit, lowest bit first."""
    assert expected == flags.letters(bits)


def test_bits_of_no_flag_have_no_letter() -> None:
    """Data offset and reserved bits, if they are left in, say nothing."""
    assert "A" == flags.letters(0x5000 | flags.ACK)


def test_flags_stand_where_the_header_has_them() -> None:
    """RFC 9293 section 3.1 draws CWR ECE URG ACK PSH RST SYN FIN, from 128 down to 1."""
    drawn = [
        flags.CWR,
        flags.ECE,
        flags.URG,
        flags.ACK,
        flags.PSH,
        flags.RST,
        flags.SYN,
        flags.FIN,
    ]
    assert [128, 64, 32, 16, 8, 4, 2, 1] == drawn
