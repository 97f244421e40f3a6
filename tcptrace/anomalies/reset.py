"""Anomalies of resets. Read `RESET` first; a new one is a row and the function it names.

RFC 9293 sections 3.5.2 and 3.5.3. The form of a RST tells its sender's state: an abort carries
ACK and options, an answer by a host without a socket does not
(tcp_output.c:tcp_send_active_reset, tcp_ipv4.c:tcp_v4_send_reset).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from tcptrace.anomalies.anomaly import Anomaly
from tcptrace.anomalies.evidence import Evidence
from tcptrace.anomalies.groups import Group, Hits, by_service
from tcptrace.anomalies.sentences import Sentences
from tcptrace.tables.schema import SEVERITIES
from tcptrace.tcp.states import Event, State
from tcptrace.tracker.transitions import ResetForm

INFO, NOTICE, WARNING = (SEVERITIES.index(name) for name in ("info", "notice", "warning"))
_DATA_STATES = (State.ESTABLISHED, State.CLOSE_WAIT)


def connection_aborted(seen: Evidence) -> Iterator[Group]:
    """A RST ended a connection in ESTABLISHED or CLOSE_WAIT, at its sender or at its receiver."""
    some = seen.where((seen.own("rst_count") > 0) & (seen.own("rst_form") != ResetForm.REFUSAL))
    sender_left = some.left_by(_DATA_STATES, Event.SND_RST)
    hits = some.where(sender_left | some.peers.left_by(_DATA_STATES, Event.RCV_RST))
    after_fin = (hits.own("fin_count") > 0) & (hits.own("fin_time") <= hits.own("rst_time"))
    stray = hits.own("rst_form") == ResetForm.STRAY
    unacked = hits.own("unacked") + hits.peer("unacked")
    found = Hits(
        endpoint=hits.ends,
        ts=hits.own("rst_time"),
        duration=hits.own("gap"),
        packets=[hits.own("rst_packet")],
        variant=np.where(after_fin, "after-own-fin", np.where(stray, "no-socket", "abort")),
        severity=np.where(after_fin, INFO, np.where(unacked > 0, WARNING, NOTICE)),
        facts={
            "rst": hits.own("rst_packet"),
            "fin": hits.own("fin_packet"),
            "lost": hits.own("unacked"),
            "peer_lost": hits.peer("unacked"),
            "payload": hits.own("payload"),
            "peer_payload": hits.peer("payload"),
            "gap": hits.own("gap"),
            "age": hits.own("rst_time") - hits.shared("time_start"),
        },
    )
    yield from by_service(seen, found, seen.own("segments") > 0)


_aborted = partial(
    Sentences,
    why=(
        "The RST is packet {rst}, {age:span} after the connection began. {x} had sent "
        "{payload:octets} and {y} {peer_payload:octets}; not acknowledged were {lost:octets} of "
        "{x} and {peer_lost:octets} of {y}."
    ),
    limits="{tap} A device on the way can send a RST in an endpoint's name.",
)

RESET = (
    Anomaly(
        "connection-aborted",
        "notice",
        "subject",
        connection_aborted,
        {
            "abort": _aborted(
                headline="{x} aborted the connection with {y} by RST, without a FIN{gap:silence}.",
                many=(
                    "{n:count} of {total:count} connections with {place} were aborted by RST, "
                    "without a FIN."
                ),
                ruled_out=(
                    "It is not an answer to a segment that came too late: the RST has the form "
                    "that a living socket sends (with ACK, at the next sequence number)."
                ),
                advice=(
                    "At {x} look for SO_LINGER with 0, close() with unread input, or a process "
                    "that was killed; if the silences before the RSTs are alike, for an idle limit."
                ),
            ),
            "no-socket": _aborted(
                headline=(
                    "{x} answered {y} with RST as a host does that has no such "
                    "connection{gap:silence}."
                ),
                many=(
                    "{place}: {n:count} of {total:count} connections ended in a RST from a host "
                    "that did not know them."
                ),
                ruled_out=(
                    "It is not an abort by a program: the RST carries no ACK and takes its number "
                    "from the segment that it answers."
                ),
                advice=(
                    "Did {x_host} restart, or did a NAT or load balancer between the two forget "
                    "the connection?{gap:keepalive}"
                ),
            ),
            "after-own-fin": _aborted(
                headline=(
                    "{x} reset a connection that it had already closed: {y} sent more than {x} "
                    "would take."
                ),
                many=(
                    "{n:count} of {total:count} connections with {place} were reset by the side "
                    "that had closed them."
                ),
                ruled_out=(
                    "It is not a fault by itself: many programs close first (FIN in packet {fin}) "
                    "and answer late data with RST."
                ),
                advice=(
                    "If the data of {y} mattered, {x} should shutdown() its sending side and read "
                    "until the end before it closes."
                ),
            ),
        },
    ),
)
