"""What is wrong with the capture itself. Read `QUALITY` first; a new one is a row and a function.

None of it is charged to an endpoint. Each is told once a capture, and what it makes doubtful is
told with the findings that it touches.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from tcptrace.anomalies.anomaly import Anomaly
from tcptrace.anomalies.evidence import ROLES, Evidence, Mask
from tcptrace.anomalies.groups import MOST_PACKETS, Group, of_capture
from tcptrace.anomalies.sentences import Sentences


def capture_loss(seen: Evidence) -> Iterator[Group]:
    """Octets were acknowledged that are in no packet, or the capturing program says it dropped."""
    lost = seen.own("unseen") == 1
    dropped = seen.facts.loss.dropped or 0
    for group in _of_endpoints(seen, lost, "last_packet"):
        group.variant = "dropped" if dropped else ""
        group.values |= {"octets": int(seen.own("missed_bytes").sum()), "dropped": dropped}
        yield group
    if dropped and not lost.any():
        yield of_capture(seen, dropped, "told", dropped=dropped)


def one_direction_only(seen: Evidence) -> Iterator[Group]:
    """Connections of which the capture holds one direction, though the other must have spoken."""
    silent = (seen.shared("one_sided") == 1) & (seen.own("segments") == 0)
    yield from _of_endpoints(seen, silent, "")


def midstream_start(seen: Evidence) -> Iterator[Group]:
    """Connections that are older than the capture."""
    first = seen.role == 0
    for group in _of_endpoints(seen, first & (seen.shared("mid_stream") == 1), ""):
        group.packets = sorted(
            seen.found.connections.first_packet[group.members][:MOST_PACKETS].tolist()
        )
        yield group


def duplicate_packets(seen: Evidence) -> Iterator[Group]:
    """Packets that the capture holds more than once, as of two interfaces."""
    yield from _counted(seen, "duplicates")


def capture_reordered(seen: Evidence) -> Iterator[Group]:
    """Segments that stand behind their own acknowledgement."""
    yield from _counted(seen, "reordered")


def bad_checksum_sporadic(seen: Evidence) -> Iterator[Group]:
    """Segments damaged on the way: their sender sent them, their receiver will not take them."""
    yield from _counted(seen, "bad_checksums")


def offload_artefacts(seen: Evidence) -> Iterator[Group]:
    """Checksums not yet filled in, segments joined or not yet cut: the tap is on an end host.

    Only checksums say on which: a segment may be large because its sender's card has not cut it
    yet, or because its receiver's has joined it.
    """
    bad, large = seen.own("offloaded"), seen.own("super_segments")
    for group in _of_endpoints(seen, (bad > 0) | (large > 0), ""):
        group.values |= {"unfilled": int(bad.sum()), "large": int(large.sum())}
        group.count = group.values["unfilled"] + group.values["large"]
        group.hosts = np.unique(seen.addresses.places[bad > 0])
        group.values["hosts"] = [seen.addresses.names[int(place)] for place in group.hosts]
        group.variant = "checksums" if len(group.hosts) else "sizes"
        yield group


def _counted(seen: Evidence, column: str) -> Iterator[Group]:
    """One group of all endpoints whose counter is not zero; `count` is the counters' sum."""
    counter = seen.own(column)
    for group in _of_endpoints(seen, counter > 0, ""):
        group.count = group.values["packets_of_it"] = int(counter.sum())
        yield group


def _of_endpoints(seen: Evidence, which: Mask, packets: str) -> Iterator[Group]:
    """One group of the chosen endpoints, in order of connection; none if none is chosen."""
    ends = np.flatnonzero(which)
    if not len(ends):
        return
    members = np.unique(ends // ROLES)
    rows = seen.found.connections
    first, last = rows.time_start[members].min(), rows.time_end[members].max()
    numbers = seen.own(packets)[ends][:MOST_PACKETS].tolist() if packets else []
    yield Group(
        members=members,
        hosts=np.unique(seen.addresses.places[ends]),
        ts=int(first),
        duration=int(last - first),
        packets=sorted(number for number in numbers if number),
        count=len(members),
        values={
            "n": len(members),
            "total": len(rows),
            "hosts": [],
            "example": int(members[0]),
        },
    )


_loss = partial(
    Sentences,
    many="",
    ruled_out=(
        "It is not loss on the path: what the receiver acknowledged had reached it. Packets that "
        "the capture lost are not called missing in any finding."
    ),
    advice=(
        "Capture with a larger buffer (tcpdump -B), a shorter snap length (-s), or a filter; check "
        "whether the mirror port is overloaded."
    ),
    limits="Nothing is said of what a connection did inside such a gap.",
)

_offload = partial(
    Sentences,
    many="",
    advice="Nothing: such checksums are left aside, and sizes are taken from the IP header.",
    limits="How many packets really passed the link is not known.",
)

QUALITY = (
    Anomaly(
        "capture-loss",
        "notice",
        "capture",
        capture_loss,
        {
            "": _loss(
                headline=(
                    "The capture lost packets of {n:counted connection}: octets that it does not "
                    "hold were acknowledged."
                ),
                why=(
                    "A receiver acknowledges only what it has, and some of that is in no packet: "
                    "{octets:octets}, as Zeek counts."
                ),
            ),
            "dropped": _loss(
                headline=(
                    "The capture lost packets of {n:counted connection}: octets that it does not "
                    "hold were acknowledged."
                ),
                why=(
                    "A receiver acknowledges only what it has, and some of that is in no packet: "
                    "{octets:octets}, as Zeek counts. The capturing program itself counts "
                    "{dropped:counted dropped packet}."
                ),
            ),
            "told": _loss(
                headline="The capturing program says that it dropped {dropped:counted packet}.",
                why="The file's interface statistics say so; no gap shows in any connection.",
            ),
        },
    ),
    Anomaly(
        "one-direction-only",
        "notice",
        "capture",
        one_direction_only,
        {
            "": Sentences(
                headline=(
                    "Only one direction was captured of {n:count} of {total:counted connection}."
                ),
                many="",
                why=(
                    "One endpoint acknowledges octets of a peer of which there is no packet at all."
                ),
                ruled_out="It is not a silent peer: what it sent was acknowledged.",
                advice=(
                    "Mirror both directions, or capture on a host, or on both paths of asymmetric "
                    "routing."
                ),
                limits=(
                    "The silent endpoint's states are deduced, and nothing it did not send is "
                    "called missing."
                ),
            )
        },
    ),
    Anomaly(
        "midstream-start",
        "info",
        "capture",
        midstream_start,
        {
            "": Sentences(
                headline=(
                    "{n:count} of {total:counted connection} had begun before the capture did."
                ),
                many="",
                why="Their first captured packet is not a SYN.",
                ruled_out=(
                    "It is not loss: they were under way when the capture began, or were filtered "
                    "till then."
                ),
                advice="Begin the capture before the connections of interest.",
                limits="Their first states are assumed, and who opened them is a guess.",
            )
        },
    ),
    Anomaly(
        "duplicate-packets",
        "info",
        "capture",
        duplicate_packets,
        {
            "": Sentences(
                headline="The capture holds {packets_of_it:counted packet} twice or more.",
                many="",
                why=(
                    "They repeat another one to the IP identification, within a moment no "
                    "retransmission fits."
                ),
                ruled_out=(
                    "They are not retransmissions: a sender numbers those anew, and sends them "
                    "later."
                ),
                advice=(
                    "Capture on one interface instead of 'any', or one side of the mirrored port."
                ),
                limits="The copies are left out of every count but those that Zeek makes.",
            )
        },
    ),
    Anomaly(
        "offload-artefacts",
        "info",
        "capture",
        offload_artefacts,
        {
            "checksums": _offload(
                headline=(
                    "The capture was made on {hosts:listed}: {unfilled:counted checksum} not "
                    "filled in, {large:counted segment} larger than any link carries."
                ),
                why=(
                    "A network card fills in checksums and cuts segments after the tap has seen "
                    "them."
                ),
                ruled_out="It is not corruption: all of a host's packets have it.",
            ),
            "sizes": _offload(
                headline=(
                    "The capture was made on one of the end hosts: {large:counted segment} larger "
                    "than any link carries."
                ),
                why=(
                    "A sender's network card cuts segments after the tap has seen them, a "
                    "receiver's joins them before."
                ),
                ruled_out="It is not a jumbo frame: the segments exceed what the handshake allows.",
            ),
        },
    ),
    Anomaly(
        "capture-reordered",
        "notice",
        "capture",
        capture_reordered,
        {
            "": Sentences(
                headline=(
                    "The capture wrote down {packets_of_it:counted segment} behind the "
                    "acknowledgement of the same octets."
                ),
                many="",
                why=(
                    "A receiver cannot acknowledge what it does not have: the tap wrote them down "
                    "too late."
                ),
                ruled_out=(
                    "It is not reordering on the path: that is behind the acknowledging endpoint."
                ),
                advice=(
                    "Capture both directions through one queue; see also whether timestamps are "
                    "the card's."
                ),
                limits="Moments are uncertain by as much as the order is.",
            )
        },
    ),
    Anomaly(
        "bad-checksum-sporadic",
        "notice",
        "path",
        bad_checksum_sporadic,
        {
            "": Sentences(
                headline=(
                    "{packets_of_it:counted segment} passed the tap damaged: the TCP checksum is "
                    "wrong."
                ),
                many="",
                why=(
                    "Most segments of these hosts have a right checksum, so it is not left to the "
                    "card."
                ),
                ruled_out="It is not offload: that would show in all packets of a host.",
                advice="Look for a faulty link or a device that rewrites packets.",
                limits="Their receivers are taken to have dropped them.",
            )
        },
    ),
)
