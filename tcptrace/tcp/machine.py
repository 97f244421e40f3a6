"""The reference machine: RFC 9293 figure 5 and section 3.10, one endpoint, one literal.

Read `TRANSITIONS` first. A segment is an *ordered* handful of events: what it acknowledges comes
before its FIN (section 3.10.7.4: fifth the ACK, eighth the FIN), so FIN with ACK of FIN walks
FIN_WAIT_1 → FIN_WAIT_2 → TIME_WAIT by itself. Two kinds of no: an event that belongs there and
moves nothing is IGNORED; a hole of the literal is UNEXPECTED, nothing like it can happen there.
`INFERENCES` lays over it what the RFC does not have and systems do, or what only an observer
needs. Kernels look moves up in `TABLE`; no transition is written as code anywhere.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from tcptrace.tcp.states import Event, State

CLOSED, LISTEN, SYN_SENT, SYN_RCVD = State.CLOSED, State.LISTEN, State.SYN_SENT, State.SYN_RCVD
ESTABLISHED, CLOSE_WAIT, LAST_ACK = State.ESTABLISHED, State.CLOSE_WAIT, State.LAST_ACK
FIN_WAIT_1, FIN_WAIT_2 = State.FIN_WAIT_1, State.FIN_WAIT_2
CLOSING, TIME_WAIT = State.CLOSING, State.TIME_WAIT


class Stay(IntEnum):
    """The two kinds of no-move, with their value in the dense table."""

    IGNORED = 0xFE
    UNEXPECTED = 0xFF


IGNORED, UNEXPECTED = Stay.IGNORED, Stay.UNEXPECTED

Literal = dict[State, dict[Event, State | Stay]]

TRANSITIONS: Final[Literal] = {
    CLOSED: {
        Event.PASSIVE_OPEN: LISTEN,  # 3.10.1
        Event.SND_SYN: SYN_SENT,  # 3.10.1, active OPEN
        Event.RCV_SYN: IGNORED,  # 3.10.7.1: refused by a RST
        Event.RCV_SYN_ACK: IGNORED,  # 3.10.7.1: answered by a RST, as all that follow
        Event.RCV_ACK_OF_SYN: IGNORED,  # 3.10.7.1
        Event.RCV_FIN: IGNORED,  # 3.10.7.1
        Event.RCV_ACK_OF_FIN: IGNORED,  # 3.10.7.1
        Event.SND_RST: IGNORED,  # 3.5.2, group 1: that very answer
        Event.RCV_RST: IGNORED,  # 3.10.7.1: never answered
        Event.RCV_ICMP_ERROR: IGNORED,  # 3.9.2.2: about a connection that is no more
        Event.CLOSE: IGNORED,  # 3.10.4: "connection does not exist"
    },
    LISTEN: {
        Event.SND_SYN: SYN_SENT,  # 3.10.2: SEND, or OPEN with a remote socket
        Event.RCV_SYN: SYN_RCVD,  # 3.10.7.2, third
        Event.RCV_SYN_ACK: IGNORED,  # 3.10.7.2, second: any ACK is bad here, answered by a RST
        Event.RCV_ACK_OF_SYN: IGNORED,  # 3.10.7.2, second
        Event.RCV_FIN: IGNORED,  # 3.10.7.4, eighth: SEG.SEQ cannot be validated
        Event.RCV_ACK_OF_FIN: IGNORED,  # 3.10.7.2, second
        Event.SND_RST: IGNORED,  # 3.5.2, group 2: answers a bad ACK, the listener lives on
        Event.RCV_RST: IGNORED,  # 3.10.7.2, first
        Event.RCV_ICMP_ERROR: IGNORED,  # 3.9.2.2: a listener has sent nothing to be about
        Event.CLOSE: CLOSED,  # 3.10.4
    },
    SYN_SENT: {
        Event.SND_SYN: IGNORED,  # 3.10.8: retransmission
        Event.RCV_SYN: SYN_RCVD,  # 3.10.7.3, fourth: the SYNs cross, figure 7
        Event.RCV_SYN_ACK: ESTABLISHED,  # 3.10.7.3, fourth: our SYN is acknowledged
        Event.RCV_ACK_OF_SYN: IGNORED,  # 3.10.7.3, fifth: neither SYN nor RST
        Event.RCV_FIN: IGNORED,  # 3.10.7.4, eighth: SEG.SEQ cannot be validated
        Event.RCV_ACK_OF_FIN: IGNORED,  # 3.10.7.3, first: not of our SYN, answered by a RST
        Event.SND_RST: IGNORED,  # 3.5.2, group 2: that very answer; aborting sends nothing (3.10.5)
        Event.RCV_RST: CLOSED,  # 3.10.7.3, second: with an acceptable ACK, else no event at all
        Event.RCV_ICMP_ERROR: CLOSED,  # 3.9.2.2, SHLD-26: a hard error; which are hard: see Linux
        Event.CLOSE: CLOSED,  # 3.10.4: nothing is sent
        Event.TIMEOUT_RETRANSMISSION: CLOSED,  # 3.8.3, R2 of a SYN
    },
    SYN_RCVD: {
        Event.SND_SYN: IGNORED,  # 3.10.7.2: the SYN,ACK that answers, and its repeats
        Event.RCV_SYN: IGNORED,  # 3.10.7.4, first: our SYN,ACK was lost or slow
        Event.RCV_SYN_ACK: ESTABLISHED,  # 3.5, figure 7 line 5: its ACK is what counts
        Event.RCV_ACK_OF_SYN: ESTABLISHED,  # 3.10.7.4, fifth
        Event.SND_FIN: FIN_WAIT_1,  # 3.10.4; figure 5; fast open closes early (RFC 7413)
        Event.RCV_FIN: CLOSE_WAIT,  # 3.10.7.4, eighth: its ACK came first, or is to come
        Event.SND_RST: CLOSED,  # 3.10.5; 3.5.2 and figure 5 note 3 want TIME_WAIT, no stack does
        Event.RCV_RST: CLOSED,  # 3.10.7.4, second: the listener returns to LISTEN, not the TCB
        Event.RCV_ICMP_ERROR: IGNORED,  # 3.9.2.2, MUST-56: soft errors must not abort
        Event.CLOSE: FIN_WAIT_1,  # 3.10.4, nothing left to send
        Event.TIMEOUT_RETRANSMISSION: CLOSED,  # 3.8.3, R2 of a SYN,ACK
    },
    ESTABLISHED: {
        Event.RCV_SYN: IGNORED,  # 3.10.7.4, fourth: a challenge ACK, whatever its number (RFC 5961)
        Event.RCV_SYN_ACK: IGNORED,  # 3.10.7.4, first: our ACK was lost, sent again
        Event.RCV_ACK_OF_SYN: IGNORED,  # 3.10.7.4, fifth: said once more
        Event.SND_FIN: FIN_WAIT_1,  # 3.10.4; figure 5
        Event.RCV_FIN: CLOSE_WAIT,  # 3.10.7.4, eighth
        Event.SND_RST: CLOSED,  # 3.10.5
        Event.RCV_RST: CLOSED,  # 3.10.7.4, second
        Event.RCV_ICMP_ERROR: IGNORED,  # 3.9.2.2 with RFC 5461: stacks only remember it
        Event.CLOSE: FIN_WAIT_1,  # 3.10.4: "in any case", though the FIN waits behind the data
        Event.TIMEOUT_RETRANSMISSION: CLOSED,  # 3.10.8 user timeout; 3.8.3 R2 of data
    },
    FIN_WAIT_1: {
        Event.RCV_SYN: IGNORED,  # 3.10.7.4, fourth
        Event.RCV_SYN_ACK: IGNORED,  # 3.10.7.4, first
        Event.RCV_ACK_OF_SYN: IGNORED,  # 3.10.7.4, fifth: left SYN_RCVD by SND_FIN
        Event.SND_FIN: IGNORED,  # 3.10.8: retransmission, or the FIN that CLOSE had queued
        Event.RCV_FIN: CLOSING,  # 3.10.7.4, eighth: ours still unacknowledged
        Event.RCV_ACK_OF_FIN: FIN_WAIT_2,  # 3.10.7.4, fifth
        Event.SND_RST: CLOSED,  # 3.10.5
        Event.RCV_RST: CLOSED,  # 3.10.7.4, second
        Event.RCV_ICMP_ERROR: IGNORED,  # 3.9.2.2
        Event.CLOSE: IGNORED,  # 3.10.4: an error, or "ok", but no second FIN
        Event.TIMEOUT_RETRANSMISSION: CLOSED,  # 3.10.8
    },
    FIN_WAIT_2: {
        Event.RCV_SYN: IGNORED,  # 3.10.7.4, fourth
        Event.RCV_SYN_ACK: IGNORED,  # 3.10.7.4, first
        Event.RCV_ACK_OF_SYN: IGNORED,  # 3.10.7.4, fifth
        Event.RCV_FIN: TIME_WAIT,  # 3.10.7.4, eighth; starts 2MSL
        Event.RCV_ACK_OF_FIN: IGNORED,  # 3.10.7.4, fifth: any later ACK says so again
        Event.SND_RST: CLOSED,  # 3.10.5; 3.6.1: data for a socket that is closed
        Event.RCV_RST: CLOSED,  # 3.10.7.4, second
        Event.RCV_ICMP_ERROR: IGNORED,  # 3.9.2.2
        Event.CLOSE: IGNORED,  # 3.10.4
    },
    CLOSE_WAIT: {
        Event.RCV_SYN: IGNORED,  # 3.10.7.4, fourth
        Event.RCV_SYN_ACK: IGNORED,  # 3.10.7.4, first
        Event.RCV_ACK_OF_SYN: IGNORED,  # 3.10.7.4, fifth
        Event.SND_FIN: LAST_ACK,  # 3.10.4: never CLOSING
        Event.RCV_FIN: IGNORED,  # 3.10.7.4, eighth: its ACK was lost
        Event.SND_RST: CLOSED,  # 3.10.5
        Event.RCV_RST: CLOSED,  # 3.10.7.4, second
        Event.RCV_ICMP_ERROR: IGNORED,  # 3.9.2.2
        Event.CLOSE: IGNORED,  # 3.10.4: LAST_ACK comes only with the FIN, after the queued data
        Event.TIMEOUT_RETRANSMISSION: CLOSED,  # 3.10.8
    },
    CLOSING: {
        Event.RCV_SYN: IGNORED,  # 3.10.7.4, fourth
        Event.RCV_SYN_ACK: IGNORED,  # 3.10.7.4, first
        Event.RCV_ACK_OF_SYN: IGNORED,  # 3.10.7.4, fifth
        Event.SND_FIN: IGNORED,  # 3.10.8: retransmission
        Event.RCV_FIN: IGNORED,  # 3.10.7.4, eighth
        Event.RCV_ACK_OF_FIN: TIME_WAIT,  # 3.10.7.4, fifth
        Event.RCV_RST: CLOSED,  # 3.10.7.4, second
        Event.RCV_ICMP_ERROR: IGNORED,  # 3.9.2.2
        Event.CLOSE: IGNORED,  # 3.10.4: "connection closing"
        Event.TIMEOUT_RETRANSMISSION: CLOSED,  # 3.10.8
    },
    LAST_ACK: {
        Event.RCV_SYN: IGNORED,  # 3.10.7.4, fourth: its challenge ACK is no final ACK
        Event.RCV_SYN_ACK: IGNORED,  # 3.10.7.4, first
        Event.RCV_ACK_OF_SYN: IGNORED,  # 3.10.7.4, fifth
        Event.SND_FIN: IGNORED,  # 3.10.8: retransmission
        Event.RCV_FIN: IGNORED,  # 3.10.7.4, eighth
        Event.RCV_ACK_OF_FIN: CLOSED,  # 3.10.7.4, fifth
        Event.RCV_RST: CLOSED,  # 3.10.7.4, second
        Event.RCV_ICMP_ERROR: IGNORED,  # 3.9.2.2
        Event.CLOSE: IGNORED,  # 3.10.4
        Event.TIMEOUT_RETRANSMISSION: CLOSED,  # 3.10.8
    },
    TIME_WAIT: {
        Event.RCV_SYN: IGNORED,  # 3.10.7.4, fourth: an old one; a new incarnation is REPLACED
        Event.RCV_SYN_ACK: IGNORED,  # 3.10.7.4, first
        Event.RCV_ACK_OF_SYN: IGNORED,  # 3.10.7.4, fifth
        Event.RCV_FIN: IGNORED,  # 3.10.7.4, eighth: acknowledged again, 2MSL restarts
        Event.RCV_ACK_OF_FIN: IGNORED,  # 3.10.7.4, fifth
        Event.RCV_RST: CLOSED,  # 3.10.7.4, second; a stack that keeps RFC 1337 has no such event
        Event.RCV_ICMP_ERROR: IGNORED,  # 3.9.2.2
        Event.CLOSE: IGNORED,  # 3.10.4
        Event.TIMEOUT_2MSL: CLOSED,  # 3.10.8, MUST-13
        Event.REPLACED: CLOSED,  # 3.6.1, MAY-2: a SYN that may open a new incarnation
    },
}

INFERENCES: Final[Literal] = {
    CLOSED: {
        Event.MID_STREAM: ESTABLISHED,  # the capture began inside: the least that data proves
        Event.REPLACED: IGNORED,  # it had ended before the new incarnation
    },
    LISTEN: {
        Event.RCV_ACK_OF_SYN: ESTABLISHED,  # SYN cookies keep no SYN_RCVD (Linux cookie_v4_check)
        Event.MID_STREAM: ESTABLISHED,  # a listener known from elsewhere in the capture
        Event.REPLACED: IGNORED,  # a listener outlives its connections
    },
    SYN_SENT: {
        Event.REPLACED: CLOSED,  # a SYN with another ISN: the first attempt was given up
    },
    SYN_RCVD: {
        Event.RCV_ICMP_ERROR: CLOSED,  # Linux tcp_req_err drops the request
        Event.REPLACED: CLOSED,  # the peer gave its attempt up and tries anew
    },
    ESTABLISHED: {
        Event.REPLACED: CLOSED,  # the host rebooted, or the port is used again while it lives
    },
    FIN_WAIT_1: {
        Event.SKIP_TIME_WAIT: CLOSED,  # Linux tcp_time_wait above tcp_max_tw_buckets, as below
        Event.REPLACED: CLOSED,  # the same, as in every state below
    },
    FIN_WAIT_2: {
        Event.TIMEOUT_FIN_WAIT_2: CLOSED,  # orphans only: Linux tcp_fin_time, BSD finwait2_timeout
        Event.SKIP_TIME_WAIT: CLOSED,
        Event.REPLACED: CLOSED,
    },
    CLOSE_WAIT: {
        Event.REPLACED: CLOSED,
    },
    CLOSING: {
        Event.SKIP_TIME_WAIT: CLOSED,
        Event.SND_RST: CLOSED,  # aborting sends none here (3.10.5): its socket had gone unseen
        Event.REPLACED: CLOSED,
    },
    LAST_ACK: {
        Event.SND_RST: CLOSED,  # as in CLOSING; an orphan may also be killed (tcp_out_of_resources)
        Event.REPLACED: CLOSED,
    },
    TIME_WAIT: {
        Event.SND_RST: CLOSED,  # as in CLOSING: TIME_WAIT was skipped, killed or is over
    },
}

EVENTS: Final = len(Event)


def dense(*literals: Literal) -> bytes:
    """The table flat: cell `state * EVENTS + event`; the later of two literals rules.

    A cell is the number of the next state, or a `Stay`; a hole is UNEXPECTED.
    """
    cells = bytearray([UNEXPECTED]) * (len(State) * EVENTS)
    for literal in literals:
        for state, row in literal.items():
            for event, following in row.items():
                cells[state * EVENTS + event] = following
    return bytes(cells)


TABLE: Final = dense(TRANSITIONS, INFERENCES)


def step(state: State, event: Event) -> State | Stay:
    """Where `event` leads from `state`, by the reference machine with the inferences over it."""
    cell = TABLE[state * EVENTS + event]
    return Stay(cell) if cell >= Stay.IGNORED else State(cell)
