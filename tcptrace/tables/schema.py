"""Every column of every table, declared once: dtype, unit and meaning. README is printed from here.

Read `table` first for what a kind is. Times are UTC, durations never float seconds.
"""

from __future__ import annotations

from tcptrace.decode.segments import Checksum
from tcptrace.decode.segments import Kind as SegmentKind
from tcptrace.tables.table import Column, Kind, Table
from tcptrace.tcp.states import LABELS, Event, Role, State
from tcptrace.tracker.transitions import Basis, EndReason, Orientation, Vantage
from tcptrace.tracker.zeek_rows import CONN_STATES

STATES = tuple(State.__members__)
EVENTS = tuple(LABELS.get(event, event.name.lower()) for event in Event)
ROLES = tuple(role.name.lower() for role in Role)
BASES = tuple(basis.name.lower() for basis in Basis if basis is not Basis.RETRACTED)
CLOSERS = (*ROLES, "both", "none")
CLOSE_KINDS = ("fin", "rst", "timeout", "none")
SEVERITIES = ("info", "notice", "warning", "critical")
CONFIDENCES = ("full", "reduced")
CHARGED = (*ROLES, "both", "path", "host", "capture")

CONNECTIONS = Table(
    "connections",
    "one connection: an incarnation of a four-tuple",
    (
        Column("conn", Kind.COUNT, "the connection's number, from 0, in order of first packets"),
        Column("orig_ip", Kind.NAME, "originator's address"),
        Column("orig_port", Kind.COUNT, "originator's port"),
        Column("resp_ip", Kind.NAME, "responder's address"),
        Column("resp_port", Kind.COUNT, "responder's port"),
        Column("incarnation", Kind.COUNT, "which use of the same four-tuple, from 0"),
        Column(
            "orientation",
            Kind.CHOICE,
            "the evidence that says which endpoint is the originator",
            choices=tuple(evidence.name.lower() for evidence in Orientation),
        ),
        Column("ts_start", Kind.TIME, "its first packet"),
        Column("ts_end", Kind.TIME, "its last packet"),
        Column("duration", Kind.DURATION, "from its first packet to its last"),
        Column(
            "orig_state",
            Kind.CHOICE,
            "the state the capture leaves the originator in",
            choices=STATES,
        ),
        Column(
            "resp_state",
            Kind.CHOICE,
            "the state the capture leaves the responder in",
            choices=STATES,
        ),
        Column("closer", Kind.CHOICE, "who ended it first", choices=CLOSERS),
        Column("close_kind", Kind.CHOICE, "by what it was first ended", choices=CLOSE_KINDS),
        Column(
            "end_reason",
            Kind.CHOICE,
            "why the row ends",
            choices=tuple(reason.name.lower() for reason in EndReason),
        ),
        Column("is_final", Kind.FLAG, "false if it was still open where the capture ended"),
        Column("conn_state", Kind.CHOICE, "Zeek's conn_state", choices=CONN_STATES),
        Column("history", Kind.TEXT, "Zeek's history"),
        Column("completeness", Kind.COUNT, "Wireshark's tcp.completeness"),
        Column("community_id", Kind.TEXT, "Community ID, version 1, seed 0"),
        Column(
            "orig_pkts",
            Kind.COUNT,
            "packets of the originator, the capture's copies included",
            "packets",
        ),
        Column(
            "resp_pkts",
            Kind.COUNT,
            "packets of the responder, the capture's copies included",
            "packets",
        ),
        Column(
            "orig_bytes",
            Kind.COUNT,
            "the originator's payload by sequence space, as Zeek counts",
            "octets",
        ),
        Column(
            "resp_bytes",
            Kind.COUNT,
            "the responder's payload by sequence space, as Zeek counts",
            "octets",
        ),
        Column(
            "orig_retransmits",
            Kind.COUNT,
            "segments in which the originator repeated octets",
            "segments",
        ),
        Column(
            "resp_retransmits",
            Kind.COUNT,
            "segments in which the responder repeated octets",
            "segments",
        ),
        Column(
            "orig_missed_bytes",
            Kind.COUNT,
            "acknowledged octets of the originator not captured",
            "octets",
        ),
        Column(
            "resp_missed_bytes",
            Kind.COUNT,
            "acknowledged octets of the responder not captured",
            "octets",
        ),
        Column("handshake_rtt_orig", Kind.DURATION, "from the tap to the originator and back"),
        Column("handshake_rtt_resp", Kind.DURATION, "from the tap to the responder and back"),
        Column(
            "vantage",
            Kind.CHOICE,
            "where the tap stands: beside an endpoint, or in the middle",
            choices=tuple(place.name.lower() for place in Vantage),
        ),
        Column("first_packet", Kind.COUNT, "number of its first packet"),
        Column("last_packet", Kind.COUNT, "number of its last packet"),
        Column("anomalies", Kind.TEXT, "codes of the anomalies it is part of, separated by commas"),
    ),
    index="conn",
)

TIMELINE = Table(
    "timeline",
    "one state interval of one endpoint",
    (
        Column("conn", Kind.COUNT, "the connection's number"),
        Column("role", Kind.CHOICE, "which endpoint of the connection", choices=ROLES),
        Column("ip", Kind.NAME, "the endpoint's address"),
        Column("port", Kind.COUNT, "the endpoint's port"),
        Column("peer_ip", Kind.NAME, "its peer's address"),
        Column("peer_port", Kind.COUNT, "its peer's port"),
        Column("state", Kind.CHOICE, "the state entered", choices=STATES),
        Column("start", Kind.TIME, "best estimate of the entry"),
        Column("end", Kind.TIME, "best estimate of the leaving; none for the endpoint's last row"),
        Column("duration", Kind.DURATION, "how long the endpoint stayed in the state"),
        Column("event", Kind.CHOICE, "what caused the entry, in RFC 9293's words", choices=EVENTS),
        Column("basis", Kind.CHOICE, "what the entry rests on", choices=BASES),
        Column("packet", Kind.MAYBE, "number of the packet that shows or causes the entry"),
        Column("confirmed_by", Kind.MAYBE, "number of the packet that proves it"),
        Column("earliest", Kind.TIME, "lower bound of the true moment of entry; none if unbounded"),
        Column("latest", Kind.TIME, "upper bound of the true moment of entry"),
    ),
)

ANOMALIES = Table(
    "anomalies",
    "one oddity and its cause",
    (
        Column(
            "conn", Kind.MAYBE, "the connection's number; none for a host, a service, the capture"
        ),
        Column("code", Kind.NAME, "the oddity's name"),
        Column("severity", Kind.CHOICE, "how bad it is", choices=SEVERITIES),
        Column(
            "confidence",
            Kind.CHOICE,
            "reduced where the capture's quality may mislead",
            choices=CONFIDENCES,
        ),
        Column("charged", Kind.CHOICE, "whose side the cause is on", choices=CHARGED),
        Column(
            "host", Kind.NAME, "address and port of the endpoint that is charged, or the service's"
        ),
        Column("ts", Kind.TIME, "when it began; of several, the first"),
        Column("duration", Kind.DURATION, "how long it lasted; of several, the longest"),
        Column("packets", Kind.NUMBERS, "numbers of the packets that are the evidence"),
        Column("headline", Kind.TEXT, "what happened, in a sentence"),
        Column("why", Kind.TEXT, "the facts that force this reading"),
        Column("ruled_out", Kind.TEXT, "what it is not, and how that is known"),
        Column("advice", Kind.TEXT, "what to do or to look at next"),
        Column("limits", Kind.TEXT, "facts of the capture that could change the verdict"),
        Column("count", Kind.COUNT, "how many connections (or packets) share the cause"),
        Column("examples", Kind.NUMBERS, "numbers of some of these connections"),
    ),
)

SEGMENTS = Table(
    "segments",
    "one TCP segment, or one ICMP error about one",
    (
        Column("conn", Kind.MAYBE, "the connection's number"),
        Column("packet", Kind.COUNT, "number of the packet in its file"),
        Column("file", Kind.COUNT, "which file of the capture, from 0"),
        Column("ts", Kind.TIME, "when the tap saw it"),
        Column("role", Kind.CHOICE, "the endpoint that sent it", choices=ROLES),
        Column("src_ip", Kind.NAME, "source address"),
        Column("src_port", Kind.COUNT, "source port"),
        Column("dst_ip", Kind.NAME, "destination address"),
        Column("dst_port", Kind.COUNT, "destination port"),
        Column(
            "kind",
            Kind.CHOICE,
            "a segment, one with a damaged header, an ICMP error about one",
            choices=tuple(kind.name.lower() for kind in SegmentKind),
        ),
        Column("flags", Kind.NAME, "control bits: S, F, R, P, A, U, E, C, e for AE"),
        Column("seq", Kind.COUNT, "SEG.SEQ as in the header"),
        Column("ack", Kind.MAYBE, "SEG.ACK as in the header"),
        Column("window", Kind.COUNT, "SEG.WND as in the header, unscaled"),
        Column("payload", Kind.COUNT, "payload by the IP header", "octets"),
        Column("mss", Kind.MAYBE, "MSS option", "octets"),
        Column("window_scale", Kind.MAYBE, "window scale option's shift", "bits"),
        Column("sack_permitted", Kind.FLAG, "whether it has the SACK-permitted option"),
        Column("sack", Kind.NUMBERS, "SACK blocks: left edge and right edge of each"),
        Column("tsval", Kind.MAYBE, "TSval of the timestamps option"),
        Column("tsecr", Kind.MAYBE, "TSecr of the timestamps option"),
        Column("ttl", Kind.COUNT, "TTL or hop limit", "hops"),
        Column("ip_id", Kind.MAYBE, "IPv4 identification"),
        Column(
            "checksum",
            Kind.CHOICE,
            "what the TCP checksum says",
            choices=tuple(verdict.name.lower() for verdict in Checksum),
        ),
        Column("icmp_type", Kind.MAYBE, "ICMP type of an error about the segment"),
        Column("icmp_code", Kind.MAYBE, "ICMP code of an error about the segment"),
    ),
)

SOCKETS = Table(
    "sockets",
    "one socket of one host at an instant",
    (
        Column("ip", Kind.NAME, "the host's address"),
        Column("port", Kind.COUNT, "the socket's port"),
        Column("peer_ip", Kind.NAME, "its peer's address; none for a listener"),
        Column("peer_port", Kind.MAYBE, "its peer's port; none for a listener"),
        Column("state", Kind.CHOICE, "the state it is in", choices=STATES),
        Column("since", Kind.TIME, "best estimate of when it entered that state"),
        Column("age", Kind.DURATION, "how long it has been in it"),
        Column("basis", Kind.CHOICE, "what the entry rests on", choices=BASES),
        Column("conn", Kind.MAYBE, "the connection's number; none for a listener"),
        Column(
            "role",
            Kind.CHOICE,
            "which endpoint of the connection; none for a listener",
            choices=ROLES,
        ),
    ),
)

TABLES = {table.name: table for table in (CONNECTIONS, TIMELINE, ANOMALIES, SEGMENTS)}
