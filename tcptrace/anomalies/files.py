"""What is wrong with a capture's files and packets. Read `FILES` first: a row, and its function.

None of it is charged to an endpoint, and none of it is about one connection.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from tcptrace.anomalies.anomaly import Anomaly
from tcptrace.anomalies.evidence import Evidence
from tcptrace.anomalies.groups import Group, of_capture
from tcptrace.anomalies.sentences import Sentences
from tcptrace.decode.skipped import REASONS, TALLIES, Reason, Tally
from tcptrace.sources.facts import FileFacts


def truncated_packets(seen: Evidence) -> Iterator[Group]:
    """Packets of which the snap length kept only a part."""
    cut = seen.facts.counters.get(TALLIES[Tally.CUT], 0)
    lost = seen.facts.skipped.get(REASONS[Reason.TRUNCATED_TCP], 0)
    if cut or lost:
        yield of_capture(seen, max(cut, lost), cut=cut, lost=lost)


def ip_fragments(seen: Evidence) -> Iterator[Group]:
    """IP fragments: put together where all were captured, otherwise lost to us."""
    parts = seen.facts.skipped.get(REASONS[Reason.FRAGMENT], 0)
    incomplete = seen.facts.skipped.get(REASONS[Reason.FRAGMENT_INCOMPLETE], 0)
    if parts or incomplete:
        variant = "incomplete" if incomplete else ""
        yield of_capture(seen, parts + incomplete, variant, parts=parts, incomplete=incomplete)


def clock_backwards(seen: Evidence) -> Iterator[Group]:
    """Packets whose time lies before that of the packet before them in the file."""
    clock = seen.facts.clock
    if clock.count:
        group = of_capture(seen, clock.count, step=clock.largest, packet=clock.packet)
        group.ts, group.duration, group.packets = clock.time, clock.largest, [clock.packet]
        yield group


def capture_truncated(seen: Evidence) -> Iterator[Group]:
    """Files that end inside a packet, or are damaged there."""
    for file in seen.facts.truncated:
        yield _of_file(seen, file)


def _of_file(seen: Evidence, file: FileFacts) -> Group:
    values = {"file": file.path, "at": file.truncated_at, "read": file.packets}
    group = of_capture(seen, 1, "damaged" if file.damage else "", damage=file.damage)
    group.values |= values
    group.ts = file.last_time if file.last_time is not None else group.ts
    return group


_cut_file = partial(
    Sentences,
    many="",
    ruled_out="It is not an error of reading: everything before that place is in the tables.",
    advice="If the capture is still being written, or was copied while it was, read it again.",
    limits=(
        "What happened after the last whole packet is not known; nothing is called missing for it."
    ),
)

FILES = (
    Anomaly(
        "clock-backwards",
        "notice",
        "capture",
        clock_backwards,
        {
            "": Sentences(
                headline="The capture's clock went back {n:times}, by up to {step:span}.",
                many="",
                why=(
                    "Packet {packet} is the first whose time lies before that of the packet before "
                    "it."
                ),
                ruled_out=(
                    "It is not an order of arrival: packets stand in the file as they were written."
                ),
                advice=(
                    "Look for a clock that was set (NTP step), or for several receive queues "
                    "merged."
                ),
                limits=(
                    "The file's order is kept; durations across such a step are not to be trusted."
                ),
            )
        },
    ),
    Anomaly(
        "truncated-packets",
        "info",
        "capture",
        truncated_packets,
        {
            "": Sentences(
                headline="The snap length cut {n:counted packet}.",
                many="",
                why=(
                    "Of {cut:counted packet} some payload or options were not kept, of "
                    "{lost:count} not even the TCP header."
                ),
                ruled_out=(
                    "It is not loss: the packets are there, and lengths are taken from their IP "
                    "headers."
                ),
                advice="Capture with tcpdump -s 0, or at least -s 128.",
                limits="Checksums of cut packets cannot be judged.",
            )
        },
    ),
    Anomaly(
        "ip-fragments",
        "info",
        "capture",
        ip_fragments,
        {
            "": Sentences(
                headline="The capture holds {n:counted IP fragment}, all put together again.",
                many="",
                why="Their IP headers say so.",
                ruled_out="Nothing is missing: every datagram was complete.",
                advice="Look for a path with a small MTU that does not tell senders so.",
                limits="None: the segments are there.",
            ),
            "incomplete": Sentences(
                headline=(
                    "The capture holds {n:counted IP fragment}, {incomplete:count} of them without "
                    "their other parts."
                ),
                many="",
                why=(
                    "Their IP headers say so, and the rest of their datagrams is not in the "
                    "capture."
                ),
                ruled_out="They are not damaged packets: their headers are sound.",
                advice="Capture without a port filter: only a datagram's first fragment has ports.",
                limits=(
                    "A segment in such a datagram is not seen, and may be called retransmitted or "
                    "lost."
                ),
            ),
        },
    ),
    Anomaly(
        "capture-truncated",
        "warning",
        "capture",
        capture_truncated,
        {
            "": _cut_file(
                headline=(
                    "{file} ends inside a packet, at byte {at}: {read:counted packet} before it "
                    "were read."
                ),
                why="The record that begins there promises more bytes than the file has.",
            ),
            "damaged": _cut_file(
                headline=(
                    "{file} cannot be read beyond byte {at}: {read:counted packet} before it were "
                    "read."
                ),
                why="What was found there: {damage}.",
            ),
        },
    ),
)
