"""Connections as the tracker would tell them, for the detectors: one function a situation."""

from __future__ import annotations

from tcptrace.anomalies.catalogue import find_anomalies
from tcptrace.anomalies.findings import Findings
from tcptrace.tables.capture_facts import CaptureFacts
from tcptrace.tcp.states import Event, State
from tcptrace.tcp.timers import profile
from tcptrace.tracker.transitions import EndReason, ResetForm
from tests.tables.written import ORIG, RESP, Written, at

S, E = State, Event


def findings(written: Written, end: float = 300, facts: CaptureFacts | None = None) -> Findings:
    """What is found in a capture that began at 0 s and ended at `end` seconds."""
    facts = facts or CaptureFacts()
    facts.start, facts.end = at(0), at(end)
    found = written.reconstruction()
    facts.add_reconstruction(found)
    return find_anomalies(found, facts, profile("linux"))


def codes(found: Findings) -> list[str]:
    """The codes of all findings, in order."""
    return [str(code) for code in found.table["code"]]


def only(found: Findings, code: str):  # type: ignore[no-untyped-def]
    """The one row of a code."""
    rows = found.table[found.table["code"] == code]
    assert 1 == len(rows), codes(found)
    return rows.iloc[0]


def opened(written: Written, port: int = 40000, **cells: float) -> int:
    """A connection whose handshake is complete."""
    conn = written.connection(("10.0.0.9", port), **cells)
    written.move(conn, ORIG, S.SYN_SENT, E.SND_SYN, 0.0)
    written.move(conn, ORIG, S.ESTABLISHED, E.RCV_SYN_ACK, 0.1, packet=3)
    written.move(conn, RESP, S.SYN_RCVD, E.RCV_SYN, 0.05)
    written.move(conn, RESP, S.ESTABLISHED, E.RCV_ACK_OF_SYN, 0.15, packet=3)
    answered = {"syn_time": 0, "syn_last_time": 0, "syn_count": 1, "syn_answered": 1}
    written.endpoint(conn, ORIG, syn_packet=1, syn_last_packet=1, established=1, **answered)
    written.endpoint(conn, RESP, syn_packet=2, syn_last_packet=2, established=1, **answered)
    return conn


def closed_by_originator(written: Written, port: int = 40000, **cells: float) -> int:
    """The originator's FIN at 1 s (packet 4), acknowledged at 1.1 s (packet 5)."""
    conn = opened(written, port, **cells)
    written.move(conn, ORIG, S.FIN_WAIT_1, E.SND_FIN, 1.0, packet=4)
    written.move(conn, ORIG, S.FIN_WAIT_2, E.RCV_ACK_OF_FIN, 1.1, packet=5)
    written.move(conn, RESP, S.CLOSE_WAIT, E.RCV_FIN, 1.05, packet=5)
    written.endpoint(
        conn, ORIG, fin_packet=4, fin_time=1, fin_last_packet=4, fin_last_time=1, fin_count=1,
        fin_acked_packet=5, fin_acked_time=1.1, last_packet=4, last_time=1,
    )  # fmt: skip
    return conn


def unanswered_fin(written: Written, fins: int = 5, port: int = 40000, **cells: float) -> int:
    """The originator closes, the responder answers with FINs that are never acknowledged."""
    conn = closed_by_originator(written, port, **cells)
    written.move(conn, RESP, S.LAST_ACK, E.SND_FIN, 2.0, packet=6)
    last = 2.0 + 0.3 * (2 ** (fins - 1) - 1)
    written.endpoint(
        conn, RESP, fin_packet=6, fin_time=2, fin_last_packet=6 + fins - 1, fin_last_time=last,
        fin_count=fins, fin_peer_acked=1,
    )  # fmt: skip
    return conn


def syn_only(written: Written, syns: int = 4, resp: tuple[str, int] = ("10.0.0.5", 8080)) -> int:
    """SYNs at 0, 1, 3, 7 ... s that nobody answers."""
    port = 40000 + len(written.rows)
    conn = written.connection(("10.0.0.9", port), resp, time_end=2 ** (syns - 1) - 1)
    written.move(conn, ORIG, S.SYN_SENT, E.SND_SYN, 0.0)
    written.endpoint(
        conn, ORIG, segments=syns, syn_packet=1, syn_time=0, syn_last_packet=syns,
        syn_last_time=2 ** (syns - 1) - 1, syn_count=syns,
    )  # fmt: skip
    written.endpoint(conn, RESP, segments=0)
    return conn


def refused(written: Written, resp: tuple[str, int] = ("10.0.0.5", 8080)) -> int:
    """A SYN that is answered by RST, 0.3 ms later."""
    conn = written.connection(("10.0.0.9", 40000 + len(written.rows)), resp)
    written.move(conn, ORIG, S.SYN_SENT, E.SND_SYN, 0.0)
    written.move(conn, ORIG, S.CLOSED, E.RCV_RST, 0.0003, packet=2)
    written.endpoint(
        conn, ORIG, segments=1, syn_packet=1, syn_time=0, syn_last_packet=1, syn_last_time=0,
        syn_count=1, syn_answered=1,
    )  # fmt: skip
    written.endpoint(
        conn, RESP, segments=1, rst_packet=2, rst_time=0.0003, rst_count=1,
        rst_form=ResetForm.REFUSAL, rst_taken=1,
    )  # fmt: skip
    return conn


def aborted(written: Written, form: ResetForm = ResetForm.ABORT, **cells: float) -> int:
    """The responder resets an open connection at 5 s."""
    conn = opened(written, end_reason=EndReason.RESET)
    written.move(conn, RESP, S.CLOSED, E.SND_RST, 5.0, packet=8)
    written.move(conn, ORIG, S.CLOSED, E.RCV_RST, 5.1, packet=8)
    written.endpoint(
        conn, RESP, rst_packet=8, rst_time=5, rst_count=1, rst_form=form, rst_taken=1, **cells
    )
    return conn
