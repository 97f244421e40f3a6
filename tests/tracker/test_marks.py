"""Pins `mark`: one for both directions, another for all else, and what compiled kernels make."""

from __future__ import annotations

import re
from pathlib import Path

from tcptrace.tracker import marks
from tcptrace.tracker.marks import mark

KEY = 0x1234567
NEAR = [-1, 0, 1, 2, 1 << 32]


def test_marks_differ_in_any_sum() -> None:
    """Of halves and of ports, whatever their signs."""
    made = [(high, low, ports) for high in NEAR for low in NEAR for ports in (0, 1, 131070)]
    found = {mark(*each, KEY) for each in made}
    assert len(made) == len(found)
    assert all(0 <= each < 1 << 64 for each in found)


def test_declaration_has_the_same_factors() -> None:
    """It is written by hand, in C's words."""
    text = Path(marks.__file__).with_suffix(".pxd").read_text()
    told = {int(each, 16) for each in re.findall(r"0x([0-9A-F]+)ULL", text)}
    assert {marks.HIGH, marks.PORTS} == told
    assert "(low + high * 0xFF51AFD7ED558CCDULL + ports * 0xC4CEB9FE1A85EC53ULL) * key" in text
