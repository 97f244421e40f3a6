"""What the tracker hands up: moves, connections and what each endpoint was seen to do."""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

from tcptrace.columns import Rows


class Basis(IntEnum):
    """What a move rests on; the names are the words of the tables."""

    OBSERVED = 0
    CONFIRMED = 1
    PRESUMED = 2
    INFERRED = 3
    TIMER = 4
    ASSUMED = 5
    RETRACTED = 6


class Orientation(IntEnum):
    """The evidence that says which endpoint is the originator."""

    SYN = 0
    SYNACK = 1
    PORT = 2
    FIRST_PACKET = 3


class EndReason(IntEnum):
    """Why a connection's row ends."""

    CLOSED = 0
    RESET = 1
    TIMER = 2
    PORT_REUSED = 3
    IDLE = 4
    CAPTURE_END = 5
    EVICTED = 6


class Vantage(IntEnum):
    """Where the tap stands on the path of a connection."""

    UNKNOWN = 0
    ORIGINATOR = 1
    MIDDLE = 2
    RESPONDER = 3


class ResetForm(IntEnum):
    """What a RST's form tells of its sender; Linux tcp_v4_send_reset, tcp_send_active_reset."""

    NONE = 0
    REFUSAL = 1
    STRAY = 2
    ABORT = 3


class Transitions(Rows):
    """One move of one endpoint a row; in order of connection, role, and the endpoint's own order.

    `state` holds from `time` until the endpoint's next row that is not retracted.
    """

    COLUMNS: ClassVar[dict[str, str]] = {
        "conn": "the connection's number, from 0",
        "role": "tcp.states.Role",
        "state": "tcp.states.State entered",
        "event": "tcp.states.Event that caused the entry",
        "basis": "Basis",
        "time": "best estimate of the moment, ns since the epoch",
        "earliest": "lower bound of the true moment, ns",
        "latest": "upper bound of the true moment, ns",
        "packet": "number of the packet that shows or causes the move; 0 for none",
        "confirmed_by": "number of the packet that proves it; 0 for none",
        "reason": "why, a tracker.reasons.Reason: told by the story",
    }


class Connections(Rows):
    """One connection (an incarnation of a four-tuple) a row, in order of its first packet."""

    COLUMNS: ClassVar[dict[str, str]] = {
        "conn": "the connection's number, from 0",
        "orig_hi": "originator's address, upper 64 bits of the IPv6 form",
        "orig_lo": "lower 64 bits",
        "resp_hi": "responder's address, upper 64 bits",
        "resp_lo": "lower 64 bits",
        "orig_port": "originator's port",
        "resp_port": "responder's port",
        "path": "hash of the VLAN and tunnel ids of its first segment",
        "four_tuple": "hash of its four-tuple, of this run alone; 0 once it has been numbered",
        "incarnation": "which use of the same four-tuple, from 0",
        "orientation": "Orientation",
        "end_reason": "EndReason",
        "mid_stream": "1 if neither its handshake was captured nor what tells of one in a gap",
        "one_sided": "1 if only one direction was captured",
        "vantage": "Vantage",
        "time_start": "time of its first packet, ns",
        "time_end": "time of its last packet, ns",
        "first_packet": "number of its first packet in its file",
        "last_packet": "number of its last packet in its file",
        "file": "file of its first packet",
        "rtt_orig": "tap to originator and back, ns; -1 if never measured",
        "rtt_resp": "tap to responder and back, ns; -1 if never measured",
        "conn_state": "Zeek's conn_state, place in tracker.zeek_rows.CONN_STATES",
        "zeek_swapped": "1 if Zeek would call our responder the originator",
        "completeness": "Wireshark's tcp.completeness",
    }


class Endpoints(Rows):
    """What one endpoint was seen to send and do, a row each: originator then responder of a conn.

    The anomalies' evidence. Packet numbers are 0 and times are 0 where there is none.
    """

    COLUMNS: ClassVar[dict[str, str]] = {
        "conn": "the connection's number",
        "role": "tcp.states.Role",
        "segments": "segments it sent (copies of the capture left out)",
        "payload": "payload octets it sent, retransmissions included",
        "zeek_bytes": "payload octets by sequence space, as Zeek counts",
        "zeek_packets": "packets as Zeek counts",
        "missed_bytes": "octets that the capture never held although they were acknowledged",
        "retransmits": "segments that repeat octets it had sent",
        "iss": "its initial sequence number; -1 if not known",
        "syn_packet": "its first SYN or SYN,ACK",
        "syn_time": "when",
        "syn_last_packet": "its last SYN or SYN,ACK",
        "syn_last_time": "when",
        "syn_count": "how many it sent",
        "syn_answered": "1 if its SYN was answered by SYN,ACK, RST or an ICMP error",
        "acks_ignored": "peer's handshake ACKs that a repeated SYN,ACK proves lost or ignored",
        "established": "1 if it was certainly established (observed or confirmed)",
        "fin_packet": "its first FIN",
        "fin_time": "when",
        "fin_last_packet": "its last FIN",
        "fin_last_time": "when",
        "fin_count": "how many it sent",
        "fin_peer_acked": "1 if that first FIN acknowledged the peer's FIN",
        "fin_acked_packet": "the peer's first segment that acknowledged its FIN",
        "fin_acked_time": "when",
        "half_close_packet": "its first payload after it had acknowledged the peer's FIN",
        "half_close_payload": "payload octets it sent after it had acknowledged the peer's FIN",
        "half_close_acked": "1 if the peer acknowledged some of them",
        "rst_packet": "its first RST",
        "rst_time": "when",
        "rst_count": "how many",
        "rst_form": "ResetForm of the first",
        "rst_taken": "1 if the peer's machine took one of them",
        "unacked": "octets it sent that the peer never acknowledged",
        "last_packet": "its last segment of any kind",
        "last_time": "when",
        "icmp_packet": "first ICMP error about its segments",
        "icmp": "that error's type and code, as in Segments",
        "duplicates": "copies made by the capture, left out",
        "unseen": "1 if the peer acknowledged octets of it that the capture does not hold",
        "reordered": "its segments that came after their own acknowledgement",
        "bad_checksums": "its segments with a bad checksum",
        "offloaded": "its segments whose checksum was left to the network card",
        "super_segments": "its segments longer than the MSS allows",
        "gap": "largest silence before its RST or last segment, ns",
        "zero_windows": "segments in which it closed its window",
    }
