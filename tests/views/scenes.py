"""Scenes for pictures: exchanges in the notation of `tests.exchange`, judged by the tracker."""

from __future__ import annotations

from pathlib import Path

import tcptrace
from tcptrace.sources.facts import FileFacts
from tcptrace.tables.capture_facts import CaptureFacts
from tcptrace.tcp.timers import profile
from tcptrace.trace import Connection, Trace
from tcptrace.tracker.tracker import Tracker
from tcptrace.views.scene import Scene
from tests.exchange import CLOSE, OPEN, START, Between, exchange

CAPTURES = Path(__file__).resolve().parent.parent.parent / "captures"

DATA = """
0.10 C A 1+100 a1
0.12 S A 1 a101
"""
ORDERLY = (
    OPEN
    + DATA
    + CLOSE.replace("1 a1", "101 a1", 1).replace("a2", "a102").replace("C A 2 a102", "C A 102 a2")
)
TWO_SYNS_LOST = """
0.00 C S 0
1.00 C S 0
3.00 C S 0
3.02 S SA 0 a1
3.04 C A 1 a1
"""
SENT_AGAIN = (
    OPEN
    + """
0.10 C A 1+100 a1
0.101 C A 101+100 a1
0.102 C A 201+100 a1
0.121 S A 1 a101
0.123 S A 1 a101
0.35 C A 101+100 a1
0.37 S A 1 a301
"""
)
REFUSED = """
0.00 C S 0
0.02 S RA 0 a1
"""


def connection(
    text: str, between: Between | None = None, path: str = "office.pcapng"
) -> Connection:
    """The first connection of an exchange, as a user holds it."""
    rows = exchange(text, between)
    tracker = Tracker()
    tracker.feed(rows)
    found = tracker.finish()
    facts = CaptureFacts(
        files=[FileFacts(path)], start=START, end=int(found.connections.time_end.max(initial=0))
    )
    return Trace(found, facts, profile("linux"), lambda: iter([rows])).connection(0)


def scene(text: str, between: Between | None = None) -> Scene:
    """What pictures of an exchange are made from."""
    return connection(text, between).scene


def captured(case: str) -> Scene:
    """The first connection of a recorded case; of its first capture, if it has several."""
    path = next(each for each in sorted((CAPTURES / case).iterdir()) if ".pcap" in each.name)
    return tcptrace.read(path).connection(0).scene


def transfer(segments: int) -> str:
    """An exchange in which the responder sends so many segments, each acknowledged."""
    lines = [OPEN]
    for number in range(segments):
        seq, at = 1 + 1000 * number, 0.1 + number / 1000
        lines.append(f"{at:.4f} S A {seq}+1000 a1")
        lines.append(f"{at + 0.02:.4f} C A 1 a{seq + 1000}")
    end, at = 1 + 1000 * segments, 0.2 + segments / 1000
    lines.append(f"{at:.4f} S FA {end} a1")
    lines.append(f"{at + 0.02:.4f} C FA 1 a{end + 1}")
    lines.append(f"{at + 0.04:.4f} S A {end + 1} a2")
    times = lambda line: float(line.split()[0])  # noqa: E731
    rows = [row for line in lines for row in line.strip().splitlines()]
    return "\n".join(sorted(rows, key=times))
