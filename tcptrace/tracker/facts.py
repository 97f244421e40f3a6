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

TIME = cython.declare(cython.Py_ssize_t, Evidence.index("time"))
PACKET = cython.declare(cython.Py_ssize_t, Evidence.index("packet"))
KIND = cython.declare(cython.Py_ssize_t, Evidence.index("kind"))
SEQ = cython.declare(cython.Py_ssize_t, Evidence.index("seq"))
FLAGS = cython.declare(cython.Py_ssize_t, Evidence.index("flags"))
PAYLOAD = cython.declare(cython.Py_ssize_t, Evidence.index("payload"))
SENDER = cython.declare(cython.Py_ssize_t, Evidence.index("sender"))
COPY = cython.declare(cython.Py_ssize_t, Evidence.index("copy"))
END = cython.declare(cython.Py_ssize_t, Evidence.index("end"))
ACKED = cython.declare(cython.Py_ssize_t, Evidence.index("acked"))
WIDTH = cython.declare(cython.Py_ssize_t, Evidence.width())
ICMP = cython.declare(cython.Py_ssize_t, Evidence.index("icmp"))
ESTABLISHED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("established"))
ENDED = cython.declare(cython.Py_ssize_t, STEP * list(MILESTONES).index("ended"))
WHEN = cython.declare(cython.Py_ssize_t, list(FIELDS).index("time"))
BASIS = cython.declare(cython.Py_ssize_t, list(FIELDS).index("basis"))
EVENT = cython.declare(cython.Py_ssize_t, list(FIELDS).index("event"))
ISS = cython.declare(cython.Py_ssize_t, Sides.index("iss"))
FIN_OCTET = cython.declare(cython.Py_ssize_t, Sides.index("fin"))
NXT = cython.declare(cython.Py_ssize_t, Sides.index("nxt"))
UNA = cython.declare(cython.Py_ssize_t, Sides.index("una"))
SIDE_WIDTH = cython.declare(cython.Py_ssize_t, Sides.width())

OUT_SYN_PACKET = cython.declare(cython.Py_ssize_t, Endpoints.index("syn_packet"))
OUT_SYN_TIME = cython.declare(cython.Py_ssize_t, Endpoints.index("syn_time"))
OUT_SYN_LAST_PACKET = cython.declare(cython.Py_ssize_t, Endpoints.index("syn_last_packet"))
OUT_SYN_LAST_TIME = cython.declare(cython.Py_ssize_t, Endpoints.index("syn_last_time"))
OUT_SYN_COUNT = cython.declare(cython.Py_ssize_t, Endpoints.index("syn_count"))
OUT_SYN_ANSWERED = cython.declare(cython.Py_ssize_t, Endpoints.index("syn_answered"))
OUT_ACKS_IGNORED = cython.declare(cython.Py_ssize_t, Endpoints.index("acks_ignored"))
OUT_ESTABLISHED = cython.declare(cython.Py_ssize_t, Endpoints.index("established"))
OUT_FIN_PACKET = cython.declare(cython.Py_ssize_t, Endpoints.index("fin_packet"))
OUT_FIN_TIME = cython.declare(cython.Py_ssize_t, Endpoints.index("fin_time"))
OUT_FIN_LAST_PACKET = cython.declare(cython.Py_ssize_t, Endpoints.index("fin_last_packet"))
OUT_FIN_LAST_TIME = cython.declare(cython.Py_ssize_t, Endpoints.index("fin_last_time"))
OUT_FIN_COUNT = cython.declare(cython.Py_ssize_t, Endpoints.index("fin_count"))
OUT_FIN_PEER_ACKED = cython.declare(cython.Py_ssize_t, Endpoints.index("fin_peer_acked"))
OUT_FIN_ACKED_PACKET = cython.declare(cython.Py_ssize_t, Endpoints.index("fin_acked_packet"))
OUT_FIN_ACKED_TIME = cython.declare(cython.Py_ssize_t, Endpoints.index("fin_acked_time"))
OUT_HALF_CLOSE_PACKET = cython.declare(cython.Py_ssize_t, Endpoints.index("half_close_packet"))
OUT_HALF_CLOSE_PAYLOAD = cython.declare(cython.Py_ssize_t, Endpoints.index("half_close_payload"))
OUT_HALF_CLOSE_ACKED = cython.declare(cython.Py_ssize_t, Endpoints.index("half_close_acked"))
OUT_RST_PACKET = cython.declare(cython.Py_ssize_t, Endpoints.index("rst_packet"))
OUT_RST_TIME = cython.declare(cython.Py_ssize_t, Endpoints.index("rst_time"))
OUT_RST_COUNT = cython.declare(cython.Py_ssize_t, Endpoints.index("rst_count"))
OUT_RST_FORM = cython.declare(cython.Py_ssize_t, Endpoints.index("rst_form"))
OUT_RST_TAKEN = cython.declare(cython.Py_ssize_t, Endpoints.index("rst_taken"))
OUT_UNACKED = cython.declare(cython.Py_ssize_t, Endpoints.index("unacked"))
OUT_ICMP_PACKET = cython.declare(cython.Py_ssize_t, Endpoints.index("icmp_packet"))
OUT_ICMP = cython.declare(cython.Py_ssize_t, Endpoints.index("icmp"))
OUT_ISS = cython.declare(cython.Py_ssize_t, Endpoints.index("iss"))
IGNORED_ACKS = cython.declare(cython.Py_ssize_t, Sides.index("acks_ignored"))
OUT_WIDTH = cython.declare(cython.Py_ssize_t, Endpoints.width())

SYN = cython.declare(cython.longlong, flags.SYN)
ACK_BIT = cython.declare(cython.longlong, flags.ACK)
FIN = cython.declare(cython.longlong, flags.FIN)
RST = cython.declare(cython.longlong, flags.RST)
SEGMENT = cython.declare(cython.longlong, Kind.SEGMENT)
ICMP_ERROR = cython.declare(cython.longlong, Kind.ICMP_ERROR)
CONFIRMED = cython.declare(cython.longlong, Basis.CONFIRMED)
RCV_RST = cython.declare(cython.longlong, Event.RCV_RST)
NEVER = cython.declare(cython.longlong, -1)
REFUSAL = cython.declare(cython.longlong, ResetForm.REFUSAL)
STRAY = cython.declare(cython.longlong, ResetForm.STRAY)
ABORT = cython.declare(cython.longlong, ResetForm.ABORT)


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
    with cython.nogil:
        for conn in range(count):
            for row in range(offsets[conn], offsets[conn + 1]):
                _see(rows, row * WIDTH, sides, out, conn)
            _conclude(sides, out, 2 * conn, 2 * conn + 1)
            _conclude(sides, out, 2 * conn + 1, 2 * conn)


@cython.cfunc
@cython.nogil
@cython.exceptval(-1, check=True)
def _see(
    r: cython.longlong[::1],
    k: cython.Py_ssize_t,
    e: cython.longlong[::1],
    out: cython.longlong[::1],
    conn: cython.Py_ssize_t,
) -> cython.int:
    """Count one segment in for its sender, and what it says of its receiver."""
    own: cython.Py_ssize_t = (2 * conn + r[k + SENDER]) * OUT_WIDTH
    peer: cython.Py_ssize_t = (2 * conn + 1 - r[k + SENDER]) * OUT_WIDTH
    side: cython.Py_ssize_t = (2 * conn + r[k + SENDER]) * SIDE_WIDTH
    other: cython.Py_ssize_t = (2 * conn + 1 - r[k + SENDER]) * SIDE_WIDTH
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
@cython.exceptval(-1, check=True)
def _see_syn(
    r: cython.longlong[::1],
    k: cython.Py_ssize_t,
    out: cython.longlong[::1],
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
@cython.exceptval(-1, check=True)
def _see_fin(
    r: cython.longlong[::1],
    k: cython.Py_ssize_t,
    out: cython.longlong[::1],
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
@cython.exceptval(-1, check=True)
def _see_half_close(
    r: cython.longlong[::1],
    k: cython.Py_ssize_t,
    out: cython.longlong[::1],
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
@cython.exceptval(-1, check=True)
def _see_reset(
    r: cython.longlong[::1],
    k: cython.Py_ssize_t,
    out: cython.longlong[::1],
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
@cython.exceptval(-1, check=True)
def _conclude(
    e: cython.longlong[::1],
    out: cython.longlong[::1],
    own: cython.Py_ssize_t,
    peer: cython.Py_ssize_t,
) -> cython.int:
    side: cython.Py_ssize_t = own * SIDE_WIDTH
    other: cython.Py_ssize_t = peer * SIDE_WIDTH
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
