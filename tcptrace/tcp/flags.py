"""The control bits of a TCP header, RFC 9293 section 3.1, as they stand in its bytes 12 and 13."""

from __future__ import annotations

FIN = 0x001
SYN = 0x002
RST = 0x004
PSH = 0x008
ACK = 0x010
URG = 0x020
ECE = 0x040
CWR = 0x080
AE = 0x100

LETTERS = {FIN: "F", SYN: "S", RST: "R", PSH: "P", ACK: "A", URG: "U", ECE: "E", CWR: "C", AE: "e"}


def letters(flags: int) -> str:
    """The bits that are set as letters, `SA` for SYN,ACK; an empty string for none."""
    return "".join(letter for bit, letter in LETTERS.items() if flags & bit)
