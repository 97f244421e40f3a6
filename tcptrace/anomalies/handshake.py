"""Anomalies of the handshake. Read `HANDSHAKE` first; a new one is a row and the function it names.

RFC 9293 section 3.5; what real stacks do with a full accept queue, tcp_ipv4.c and
tcp_minisocks.c:tcp_check_req.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from tcptrace.anomalies.anomaly import THRESHOLDS, Anomaly
from tcptrace.anomalies.evidence import NEVER, Evidence, Mask, Numbers
from tcptrace.anomalies.groups import Group, Hits, by_service
from tcptrace.anomalies.sentences import Sentences
from tcptrace.tables.schema import SEVERITIES
from tcptrace.tcp.states import Role, State
from tcptrace.tracker.transitions import ResetForm

NOTICE, WARNING = SEVERITIES.index("notice"), SEVERITIES.index("warning")


def syn_unanswered(seen: Evidence) -> Iterator[Group]:
    """An originator repeated its SYN and nothing came back while one could wait for it.

    The gap in the guard for one direction: such a connection has but one direction by nature, so
    what counts is whether this service answers anyone, which the sentence tells.
    """
    asking = (seen.role == Role.ORIGINATOR) & (seen.own("syn_count") > 0)
    some = seen.where(asking & (seen.own("syn_count") >= THRESHOLDS.syn_unanswered_syns))
    some = some.where((some.own("syn_answered") == 0) & (some.peer("segments") == 0))
    some = some.where((some.own("segments") <= some.own("syn_count")) & (some.own("icmp") == 0))
    waited = some.until - some.own("syn_time")
    hits = some.where(waited >= THRESHOLDS.syn_unanswered_wait)
    answered = (seen.role == Role.RESPONDER) & (seen.own("segments") > 0)
    here, elsewhere = _answered(seen, hits.ends, answered)
    found = Hits(
        endpoint=hits.ends,
        ts=hits.own("syn_time"),
        duration=hits.own("syn_last_time") - hits.own("syn_time"),
        packets=[hits.own("syn_packet"), hits.own("syn_last_packet")],
        variant=np.where(here > 0, "others-answered", np.where(elsewhere > 0, "port", "host")),
        severity=np.full(len(hits), WARNING),
        facts={
            "syns": hits.own("syn_count"),
            "silence": hits.until - hits.own("syn_time"),
            "here": here,
            "elsewhere": elsewhere,
        },
    )
    yield from by_service(seen, found, asking)


def _answered(seen: Evidence, hits: Numbers, answered: Mask) -> tuple[Numbers, Numbers]:
    """How many connections the same service answered, and other ports of the same host."""
    if not len(hits):
        return hits, hits
    place, port = seen.addresses.places, seen.port
    services = place * 65_536 + port
    by_host = np.bincount(place[answered], minlength=len(seen.addresses.names))
    known, counts = np.unique(services[answered], return_counts=True)
    wanted = services[hits | 1]
    where = np.searchsorted(known, wanted)
    where[where == len(known)] = 0
    here = np.where(known[where] == wanted, counts[where], 0) if len(known) else wanted * 0
    return here, by_host[place[hits | 1]] - here


def connection_refused(seen: Evidence) -> Iterator[Group]:
    """A responder answered the SYN with the refusal that CLOSED sends (section 3.10.7.1)."""
    refusing = seen.role == Role.RESPONDER
    some = seen.where(refusing & (seen.own("rst_count") > 0) & (seen.own("syn_count") == 0))
    hits = some.where(some.own("rst_form") == ResetForm.REFUSAL)
    delay = hits.own("rst_time") - hits.peer("syn_time")
    found = Hits(
        endpoint=hits.ends,
        ts=hits.own("rst_time"),
        duration=np.where(hits.peer("syn_packet") > 0, np.maximum(delay, 0), 0),
        packets=[hits.peer("syn_packet"), hits.own("rst_packet")],
        variant=np.full(len(hits), ""),
        severity=np.full(len(hits), NOTICE),
        facts={"rst": hits.own("rst_packet")},
    )
    yield from by_service(seen, found, refusing)


def handshake_ack_not_honoured(seen: Evidence) -> Iterator[Group]:
    """A responder repeated its SYN,ACK although the ACK of it had been under way to it.

    One ACK ignored is a loss that the repetition healed; if the SYN,ACK came seconds late and
    once, accept was deferred; two or more ignored are a queue that is full.
    """
    responder = seen.role == Role.RESPONDER
    some = seen.where(responder & (seen.own("syn_count") > 1) & (seen.own("acks_ignored") > 0))
    hits = some.where(some.two_sided)
    first, last = hits.own("syn_time"), hits.own("syn_last_time")
    acked = hits.peers.entered(State.ESTABLISHED)
    late = np.where(acked == NEVER, 0, np.maximum(last - np.where(acked == NEVER, 0, acked), 0))
    ignored = hits.own("acks_ignored")
    overflow = ignored >= THRESHOLDS.overflow_ignored_acks
    deferred = ~overflow & (late >= THRESHOLDS.deferred_syn_ack_gap)
    found = Hits(
        endpoint=hits.ends,
        ts=first,
        duration=last - first,
        packets=[hits.own("syn_packet"), hits.own("syn_last_packet")],
        variant=np.where(overflow, "overflow", np.where(deferred, "deferred", "lost")),
        severity=np.where(overflow | deferred, WARNING, NOTICE),
        facts={
            "syn_acks": hits.own("syn_count"),
            "ignored": ignored,
            "late": late,
            "established": hits.own("established"),
        },
    )
    yield from by_service(seen, found, seen.own("syn_count") > 0)


_unanswered = partial(
    Sentences,
    headline=(
        "{x} sent {syns:counted SYN} to {y} over {longest:span} and nothing came back: no SYN,ACK, "
        "no RST, no ICMP error."
    ),
    many=(
        "{n:count} of {total:count} attempts to connect to {place} got no answer at all, though "
        "each SYN was repeated."
    ),
    why=(
        "{x} sent the first SYN in {packets:packets} and repeated it; {silence:span} after the "
        "first there was still no segment from {y}."
    ),
    limits=(
        "{tap} An answer that never reached it looks the same; so does a capture of one direction "
        "only."
    ),
)

HANDSHAKE = (
    Anomaly(
        "syn-unanswered",
        "warning",
        "peer",
        syn_unanswered,
        {
            "others-answered": _unanswered(
                ruled_out=(
                    "It is not a dead host or a filter on the port: the same service answered "
                    "{here:counted other connection} in this capture."
                ),
                advice=(
                    "A full SYN queue or accept queue drops SYNs silently: on {y_host} check nstat "
                    "-az TcpExtListenDrops TcpExtListenOverflows and ss -lnt."
                ),
            ),
            "port": _unanswered(
                ruled_out=(
                    "It is not a dead host: {y_host} answered {elsewhere:counted connection} on "
                    "other ports. A closed port would have answered with RST."
                ),
                advice="Look for a firewall or security group that drops SYNs to port {y_port}.",
            ),
            "host": _unanswered(
                ruled_out=(
                    "It is not a closed port: that would have been answered by RST. Nothing else "
                    "in this capture comes from {y_host}."
                ),
                advice="Check whether {y_host} is up and routed to, then the filters on the way.",
            ),
        },
    ),
    Anomaly(
        "connection-refused",
        "notice",
        "subject",
        connection_refused,
        {
            "": Sentences(
                headline=(
                    "{x} refused the connection of {y}: it answered the SYN with "
                    "RST{longest:after}."
                ),
                many=(
                    "{place} refused {n:count} of {total:count} connections: each SYN was answered "
                    "with RST."
                ),
                why=(
                    "The RST ({packets:packets}) acknowledges the SYN and nothing more, as a host "
                    "does that has no socket there."
                ),
                ruled_out=(
                    "It is not a lost packet and not a dead host: something at {x_host} or before "
                    "it answered at once."
                ),
                advice=(
                    "Start the service, or let it listen on this address: on {x_host} run ss -ltn "
                    "'sport = :{x_port}'."
                ),
                limits=(
                    "A firewall that rejects answers in the same way; its RST often has another "
                    "TTL than the host's other packets. Many ports of one host from one source are "
                    "a scan."
                ),
            )
        },
    ),
    Anomaly(
        "handshake-ack-not-honoured",
        "warning",
        "subject",
        handshake_ack_not_honoured,
        {
            "overflow": Sentences(
                headline=(
                    "{x} sent its SYN,ACK {syn_acks:times} although {y} had acknowledged it: it "
                    "dropped {ignored:counted segment} that would have opened the connection."
                ),
                many=(
                    "{place} repeated its SYN,ACK on {n:count} of {total:count} connections "
                    "although the clients' ACKs are in this capture: it dropped them."
                ),
                why=(
                    "{ignored:counted segment} of {y} that acknowledged the SYN,ACK passed the "
                    "tap, and each time a SYN,ACK ({packets:packets}) came again, over "
                    "{longest:span}. So {x} was still in SYN_RCVD while {y} believed the "
                    "connection open."
                ),
                ruled_out=(
                    "It is not one lost ACK: that would have been healed by the first repetition. "
                    "SYN,ACKs that had crossed an ACK on the way are not counted."
                ),
                advice=(
                    "That is how a full accept queue looks: accept faster, or raise the listen "
                    "backlog and net.core.somaxconn. On {x_host} check nstat -az "
                    "TcpExtListenOverflows and ss -lnt."
                ),
                limits="{tap} A path that loses many packets towards {x} looks the same.",
            ),
            "deferred": Sentences(
                headline=(
                    "{x} repeated its SYN,ACK once, {late:span} after {y} had acknowledged the "
                    "first: it had put off accepting the connection."
                ),
                many=(
                    "{place} put off accepting {n:count} of {total:count} connections until data "
                    "came."
                ),
                why=(
                    "{y} acknowledged the SYN,ACK and sent nothing more; the SYN,ACK was repeated "
                    "{late:span} later ({packets:packets}), too late for a retransmission."
                ),
                ruled_out="It is not a lost ACK: a SYN,ACK is retransmitted after a second.",
                advice=(
                    "TCP_DEFER_ACCEPT is on, or an accept filter: {y} should speak first, or the "
                    "option should go."
                ),
                limits="{tap}",
            ),
            "lost": Sentences(
                headline=(
                    "The ACK that completes the handshake was lost, or {x} did not take it in: it "
                    "repeated its SYN,ACK and was acknowledged again."
                ),
                many=(
                    "On {n:count} of {total:count} connections to {place} the handshake's last ACK "
                    "was lost once and sent again."
                ),
                why=(
                    "The SYN,ACK came again ({packets:packets}) after an ACK of it had passed the "
                    "tap, and was acknowledged once more."
                ),
                ruled_out="It is not a full queue: one ACK was ignored, the next one was not.",
                advice="Nothing, unless it is frequent: then look for loss on the way to {x_host}.",
                limits="{tap}",
            ),
        },
    ),
)
