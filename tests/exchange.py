"""Segments between two ends, one a line: `0.02 S SA 0 a1` is seconds, sender, flags, numbers.

C and S are the ends; numbers are counted from each sender's ISN, its SYN being 0. `1+100` is 100
octets from 1 on. After the numbers may stand `ts=VAL,ECR`, `id=N` (IPv4 identification), `w=N`
(window), `sack=LEFT:RIGHT` (one block, counted as the ACK is), `bad` (checksum) and `icmp` (an
error about such a segment of that sender).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address

from tcptrace.decode.segments import Checksum, Kind, Segments
from tcptrace.tcp import flags
from tcptrace.tcp.sequence import add
from tcptrace.tcp.states import Role, State
from tcptrace.tracker.tracker import Reconstruction
from tcptrace.tracker.transitions import Basis

START = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
CLIENT, SERVER = ("::ffff:192.0.2.1", 40000), ("::ffff:192.0.2.2", 80)
ISNS = (1000, 5000)
NO_ROUTE = 3 * 256 + 1
BITS = {letter: bit for bit, letter in flags.LETTERS.items()}
LINE = re.compile(
    r"(?P<at>-?[\d.]+) (?P<who>[CS]) (?P<flags>[A-Z]+) (?P<seq>-?\d+)(?:\+(?P<length>\d+))?"
    r"(?: a(?P<ack>-?\d+))?(?P<rest>.*)"
)

OPEN = """
0.00 C S 0
0.02 S SA 0 a1
0.04 C A 1 a1
"""
CLOSE = """
1.00 C FA 1 a1
1.02 S FA 1 a2
1.04 C A 2 a2
"""


@dataclass(frozen=True)
class Between:
    """The two ends, and where their numbers begin."""

    client: tuple[str, int] = CLIENT
    server: tuple[str, int] = SERVER
    isns: tuple[int, int] = ISNS
    start: int = START


def exchange(text: str, between: Between | None = None) -> Segments:
    """The segments of a text, in its order."""
    between = between or Between()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    rows = Segments.zeros(len(lines))
    for place, line in enumerate(lines):
        found = LINE.fullmatch(line)
        assert found is not None, f"not a segment: {line}"
        for name, value in _columns(found, between).items():
            getattr(rows, name)[place] = value
        rows.packet[place] = place + 1
    return rows


def _columns(line: re.Match[str], between: Between) -> dict[str, int]:
    ends = [between.client, between.server]
    isns = list(between.isns)
    if line["who"] == "S":
        ends.reverse()
        isns.reverse()
    bits = sum(BITS[letter] for letter in line["flags"])
    sent = {
        "time": between.start + round(float(line["at"]) * SECOND),
        "seq": add(isns[0], int(line["seq"])),
        "ack": add(isns[1], int(line["ack"])) if line["ack"] else 0,
        "flags": bits,
        "payload": int(line["length"] or 0),
        "window": 0 if bits & flags.RST else 65535,
        "ttl": 64,
        "ip_id": -1,
        "checksum": Checksum.GOOD,
        "checksum_field": sum(ord(letter) for letter in line[0]) & 0xFFFF,
        "mss": 1460 if bits & flags.SYN else -1,
        "window_scale": -1,
    }
    for prefix, (ip, port) in zip(("src", "dst"), ends, strict=True):
        number = int(IPv6Address(ip))
        high = number >> 64
        low = number & (1 << 64) - 1
        sent[f"{prefix}_hi"] = high - (1 << 64 if high >> 63 else 0)
        sent[f"{prefix}_lo"] = low - (1 << 64 if low >> 63 else 0)
        sent[f"{prefix}_port"] = port
    return sent | _options(line["rest"].split(), isns[1])


def _options(words: list[str], peer_isn: int) -> dict[str, int]:
    columns: dict[str, int] = {}
    for word in words:
        name, _, value = word.partition("=")
        if name == "ts":
            tsval, tsecr = value.split(",")
            columns |= {"has_timestamp": 1, "tsval": int(tsval), "tsecr": int(tsecr)}
        elif name == "sack":
            left, right = (add(peer_isn, int(number)) for number in value.split(":"))
            columns |= {"sack_blocks": 1, "sack_1_left": left, "sack_1_right": right}
        else:
            columns |= {
                "id": {"ip_id": int(value or 0)},
                "w": {"window": int(value or 0)},
                "bad": {"checksum": Checksum.BAD},
                "icmp": {"kind": Kind.ICMP_ERROR, "icmp": NO_ROUTE},
            }[name]
    return columns


def lives(found: Reconstruction, conn: int = 0) -> tuple[str, str]:
    """The states of originator and responder that stand, in order, as words."""
    moves = found.transitions
    told: tuple[list[str], list[str]] = ([], [])
    for row in range(len(moves)):
        if moves.conn[row] == conn and moves.basis[row] != Basis.RETRACTED:
            told[moves.role[row]].append(State(moves.state[row]).name)
    return " ".join(told[Role.ORIGINATOR]), " ".join(told[Role.RESPONDER])
