# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`gather`: what each endpoint was seen to do, the evidence on which anomalies are judged."""

from __future__ import annotations

import cython

from tcptrace.decode.segments import Kind
from tcptrace.tcp import flags
from tcptrace.tcp.states import Event
from tcptrace.tracker.sides import FIELDS, MILESTONES, STEP, Sides
from tcptrace.tracker.slots import Evidence
from tcptrace.tracker.transitions import Basis, Endpoints, ResetForm

if not cython.compiled:
    from tcptrace.tracker.memory import row_of

    TIME = Evidence.index("time")
    PACKET = Evidence.index("packet")
    KIND = Evidence.index("kind")
    SEQ = Evidence.index("seq")
    FLAGS = Evidence.index("flags")
    PAYLOAD = Evidence.index("payload")
    SENDER = Evidence.index("sender")
    COPY = Evidence.index("copy")
    END = Evidence.index("end")
    ACKED = Evidence.index("acked")
    WIDTH = Evidence.width()
    ICMP = Evidence.index("icmp")
    ESTABLISHED = STEP * list(MILESTONES).index("established")
    ENDED = STEP * list(MILESTONES).index("ended")
    WHEN = list(FIELDS).index("time")
    BASIS = list(FIELDS).index("basis")
    EVENT = list(FIELDS).index("event")
    ISS = Sides.index("iss")
    FIN_OCTET = Sides.index("fin")
    NXT = Sides.index("nxt")
    UNA = Sides.index("una")
    SIDE_WIDTH = Sides.width()

    OUT_SYN_PACKET = Endpoints.index("syn_packet")
    OUT_SYN_TIME = Endpoints.index("syn_time")
    OUT_SYN_LAST_PACKET = Endpoints.index("syn_last_packet")
    OUT_SYN_LAST_TIME = Endpoints.index("syn_last_time")
    OUT_SYN_COUNT = Endpoints.index("syn_count")
    OUT_SYN_ANSWERED = Endpoints.index("syn_answered")
    OUT_ACKS_IGNORED = Endpoints.index("acks_ignored")
    OUT_ESTABLISHED = Endpoints.index("established")
    OUT_FIN_PACKET = Endpoints.index("fin_packet")
    OUT_FIN_TIME = Endpoints.index("fin_time")
    OUT_FIN_LAST_PACKET = Endpoints.index("fin_last_packet")
    OUT_FIN_LAST_TIME = Endpoints.index("fin_last_time")
    OUT_FIN_COUNT = Endpoints.index("fin_count")
    OUT_FIN_PEER_ACKED = Endpoints.index("fin_peer_acked")
    OUT_FIN_ACKED_PACKET = Endpoints.index("fin_acked_packet")
    OUT_FIN_ACKED_TIME = Endpoints.index("fin_acked_time")
    OUT_HALF_CLOSE_PACKET = Endpoints.index("half_close_packet")
    OUT_HALF_CLOSE_PAYLOAD = Endpoints.index("half_close_payload")
    OUT_HALF_CLOSE_ACKED = Endpoints.index("half_close_acked")
    OUT_RST_PACKET = Endpoints.index("rst_packet")
    OUT_RST_TIME = Endpoints.index("rst_time")
    OUT_RST_COUNT = Endpoints.index("rst_count")
    OUT_RST_FORM = Endpoints.index("rst_form")
    OUT_RST_TAKEN = Endpoints.index("rst_taken")
    OUT_UNACKED = Endpoints.index("unacked")
    OUT_ICMP_PACKET = Endpoints.index("icmp_packet")
    OUT_ICMP = Endpoints.index("icmp")
    OUT_ISS = Endpoints.index("iss")
    IGNORED_ACKS = Sides.index("acks_ignored")
    OUT_WIDTH = Endpoints.width()

    SYN = flags.SYN
    ACK_BIT = flags.ACK
    FIN = flags.FIN
    RST = flags.RST
    SEGMENT = Kind.SEGMENT
    ICMP_ERROR = Kind.ICMP_ERROR
    CONFIRMED = Basis.CONFIRMED
    RCV_RST = Event.RCV_RST
    NEVER = -1
    REFUSAL = ResetForm.REFUSAL
    STRAY = ResetForm.STRAY
    ABORT = ResetForm.ABORT


def gather(
    rows: cython.longlong[::1],
    offsets: cython.longlong[::1],
    sides: cython.longlong[::1],
    out: cython.longlong[::1],
    count: cython.Py_ssize_t,
) -> None:
    """Fill `Endpoints` rows, two a connection in the order of `sides`, from its evidence."""
    conn: cython.Py_ssize_t
    row: cython.Py_ssize_t
    many: cython.Py_ssize_t
    r: cython.p_longlong
    e: cython.p_longlong
    o: cython.p_longlong
    with cython.nogil:
        for conn in range(count):
            many = offsets[conn + 1] - offsets[conn]
            e = row_of(sides, 2 * conn * SIDE_WIDTH, 2 * SIDE_WIDTH)
            o = row_of(out, 2 * conn * OUT_WIDTH, 2 * OUT_WIDTH)
            if many > 0:
                r = row_of(rows, offsets[conn] * WIDTH, many * WIDTH)
                for row in range(many):
                    _see(r, row * WIDTH, e, o)
            _conclude(e, o, 0)
            _conclude(e, o, 1)


@cython.cfunc
@cython.nogil
@cython.inline
@cython.exceptval(check=False)
def _see(
    r: cython.p_longlong,
    k: cython.Py_ssize_t,
    e: cython.p_longlong,
    out: cython.p_longlong,
) -> cython.int:
    """Count one segment in for its sender, and what it says of its receiver."""
    sender: cython.Py_ssize_t = r[k + SENDER] & 1
    own: cython.Py_ssize_t = sender * OUT_WIDTH
    peer: cython.Py_ssize_t = OUT_WIDTH - own
    side: cython.Py_ssize_t = sender * SIDE_WIDTH
    other: cython.Py_ssize_t = SIDE_WIDTH - side
    bits: cython.longlong = r[k + FLAGS]
    if r[k + KIND] == ICMP_ERROR:
        if not out[own + OUT_ICMP_PACKET]:
            out[own + OUT_ICMP_PACKET], out[own + OUT_ICMP] = r[k + PACKET], r[k + ICMP]
            out[own + OUT_SYN_ANSWERED] = 1
        return 0
    if r[k + COPY] or r[k + KIND] != SEGMENT:
        return 0
    if bits & RST:
        return _see_reset(r, k, out, own, peer)
    if bits & SYN:
        _see_syn(r, k, out, own, peer)
    if bits & FIN and r[k + END] - 1 == e[side + FIN_OCTET]:
        _see_fin(r, k, out, own, e[other + FIN_OCTET])
    fin: cython.longlong = e[other + FIN_OCTET]
    if fin >= 0 and r[k + ACKED] > fin:
        if not out[peer + OUT_FIN_ACKED_PACKET]:
            out[peer + OUT_FIN_ACKED_PACKET] = r[k + PACKET]
            out[peer + OUT_FIN_ACKED_TIME] = r[k + TIME]
        _see_half_close(r, k, out, own)
    if out[peer + OUT_HALF_CLOSE_PAYLOAD] and r[k + ACKED] > out[peer + OUT_UNACKED]:
        out[peer + OUT_HALF_CLOSE_ACKED] = 1
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _see_syn(
    r: cython.p_longlong,
    k: cython.Py_ssize_t,
    out: cython.p_longlong,
    own: cython.Py_ssize_t,
    peer: cython.Py_ssize_t,
) -> cython.int:
    if not out[own + OUT_SYN_COUNT]:
        out[own + OUT_SYN_PACKET], out[own + OUT_SYN_TIME] = r[k + PACKET], r[k + TIME]
    out[own + OUT_SYN_COUNT] += 1
    out[own + OUT_SYN_LAST_PACKET], out[own + OUT_SYN_LAST_TIME] = r[k + PACKET], r[k + TIME]
    if r[k + FLAGS] & ACK_BIT and out[peer + OUT_SYN_COUNT]:
        out[peer + OUT_SYN_ANSWERED] = 1
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _see_fin(
    r: cython.p_longlong,
    k: cython.Py_ssize_t,
    out: cython.p_longlong,
    own: cython.Py_ssize_t,
    peer_fin: cython.longlong,
) -> cython.int:
    if not out[own + OUT_FIN_COUNT]:
        out[own + OUT_FIN_PACKET], out[own + OUT_FIN_TIME] = r[k + PACKET], r[k + TIME]
        out[own + OUT_FIN_PEER_ACKED] = peer_fin >= 0 and r[k + ACKED] > peer_fin
    out[own + OUT_FIN_COUNT] += 1
    out[own + OUT_FIN_LAST_PACKET], out[own + OUT_FIN_LAST_TIME] = r[k + PACKET], r[k + TIME]
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _see_half_close(
    r: cython.p_longlong,
    k: cython.Py_ssize_t,
    out: cython.p_longlong,
    own: cython.Py_ssize_t,
) -> cython.int:
    """Payload of an endpoint that has the peer's FIN; where it began is kept until `_conclude`."""
    if not r[k + PAYLOAD]:
        return 0
    if not out[own + OUT_HALF_CLOSE_PACKET]:
        out[own + OUT_HALF_CLOSE_PACKET] = r[k + PACKET]
        out[own + OUT_UNACKED] = r[k + END] - r[k + PAYLOAD]
    out[own + OUT_HALF_CLOSE_PAYLOAD] += r[k + PAYLOAD]
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _see_reset(
    r: cython.p_longlong,
    k: cython.Py_ssize_t,
    out: cython.p_longlong,
    own: cython.Py_ssize_t,
    peer: cython.Py_ssize_t,
) -> cython.int:
    out[own + OUT_RST_COUNT] += 1
    if out[own + OUT_RST_COUNT] > 1:
        return 0
    out[own + OUT_RST_PACKET], out[own + OUT_RST_TIME] = r[k + PACKET], r[k + TIME]
    if not r[k + FLAGS] & ACK_BIT:
        out[own + OUT_RST_FORM] = STRAY
    elif r[k + SEQ] == 0 and not out[own + OUT_SYN_COUNT]:
        out[own + OUT_RST_FORM] = REFUSAL
    else:
        out[own + OUT_RST_FORM] = ABORT
    if out[peer + OUT_SYN_COUNT]:
        out[peer + OUT_SYN_ANSWERED] = 1
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _conclude(e: cython.p_longlong, out: cython.p_longlong, own: cython.Py_ssize_t) -> cython.int:
    side: cython.Py_ssize_t = own * SIDE_WIDTH
    other: cython.Py_ssize_t = SIDE_WIDTH - side
    k: cython.Py_ssize_t = own * OUT_WIDTH
    out[k + OUT_ISS] = e[side + ISS]
    out[k + OUT_UNACKED] = max(0, e[side + NXT] - max(e[side + UNA], 0)) if e[side + NXT] else 0
    out[k + OUT_ESTABLISHED] = (
        e[side + ESTABLISHED + WHEN] != NEVER and e[side + ESTABLISHED + BASIS] <= CONFIRMED
    )
    out[k + OUT_RST_TAKEN] = (
        e[other + ENDED + WHEN] != NEVER and e[other + ENDED + EVENT] == RCV_RST
    )
    out[k + OUT_ACKS_IGNORED] = e[side + IGNORED_ACKS]
    return 0
