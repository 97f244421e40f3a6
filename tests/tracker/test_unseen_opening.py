"""Pins when a handshake is taken to have fallen into a gap of the capture, and what is said."""

from __future__ import annotations

import pytest
from exchange import SECOND, START, exchange
from outcomes import Kernel, use

from tcptrace.decode.segments import Segments
from tcptrace.tcp.states import Event, Role, State
from tcptrace.tracker.tracker import Reconstruction, Tracker
from tcptrace.tracker.transitions import Basis, Orientation

GAP = """
0.00 C A 1 a1
0.10 C A 1+100 a1
0.12 S A 1 a101
"""


@pytest.fixture(autouse=True)
def _unseen_opening(monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> None:
    use(monkeypatch, kernel, "unseen_opening", "UnseenOpening")


def tracked(segments: Segments, listened: float = 5) -> Reconstruction:
    """Of a capture that had begun so many seconds before."""
    tracker = Tracker(begun=START - round(listened * SECOND))
    tracker.feed(segments)
    return tracker.finish()


def moves(found: Reconstruction, role: Role) -> list[str]:
    rows = found.transitions.take(found.transitions.role == role)
    columns = zip(rows.state, rows.event, rows.basis, strict=True)
    return [
        f"{State(state).name} {Event(event).name} {Basis(basis).name}"
        for state, event, basis in columns
        if basis != Basis.TIMER
    ]


def test_both_are_taken_through_the_handshake() -> None:
    """Its SYNs are assumed, and nothing bounds when they were; the rest shows in what came."""
    found = tracked(exchange(GAP))
    assert [
        "SYN_SENT SND_SYN ASSUMED",
        "ESTABLISHED RCV_SYN_ACK OBSERVED",
    ] == moves(found, Role.ORIGINATOR)
    assert [
        "LISTEN PASSIVE_OPEN ASSUMED",
        "SYN_RCVD RCV_SYN ASSUMED",
        "ESTABLISHED RCV_ACK_OF_SYN CONFIRMED",
    ] == moves(found, Role.RESPONDER)
    assert {-1} == set(found.transitions.earliest.tolist())
    assert (0, Orientation.FIRST_PACKET) == (
        found.connections.mid_stream[0],
        found.connections.orientation[0],
    )


def test_who_sent_the_ack_is_the_originator_whatever_the_ports() -> None:
    """A server's port opens connections, too (FTP)."""
    found = tracked(exchange(GAP.replace("C", "X").replace("S A", "C A").replace("X", "S")))
    assert (80, 40000) == (found.connections.orig_port[0], found.connections.resp_port[0])
    assert "SYN_SENT SND_SYN ASSUMED" == moves(found, Role.ORIGINATOR)[0]


def test_syns_were_a_round_trip_before() -> None:
    """As far as the tap has measured it: 20 ms to the responder and back."""
    found = tracked(exchange(GAP)).transitions
    syn = found.time[(found.state == State.SYN_SENT)]
    assert [START - 20_000_000] == syn.tolist()


@pytest.mark.parametrize(
    ("listened", "text"),
    [
        (0.9, GAP),
        (5, "0.00 C A 1+100 a1\n0.02 S A 1 a101"),
        (5, "0.00 C A 1 a1\n0.10 C A 2+100 a1\n0.12 S A 1 a102"),
        (5, "0.00 C A 1 a1\n0.10 C A 1+100 a9\n0.12 S A 9 a101"),
        (5, "0.00 C A 1 a1\n0.05 S A 1 a1\n0.10 C A 1+100 a1"),
        (5, "0.00 C A 1 a1\n0.05 S A 1+9 a1\n0.10 C A 1+100 a1"),
        (5, "0.00 C A 1 a1\n0.10 C FA 1 a1\n0.12 S A 1 a2"),
        (5, "0.00 C A 1 a1\n0.10 C A 1 a1"),
    ],
    ids=[
        "the capture has just begun", "no ACK before the data", "a keep-alive probe",
        "an ACK of more between", "the peer answers first", "the peer speaks first",
        "no data but a FIN", "nothing follows",
    ],
)  # fmt: skip
def test_anything_else_began_before(listened: float, text: str) -> None:
    """ESTABLISHED is then all that is assumed."""
    found = tracked(exchange(text), listened)
    for role in (Role.ORIGINATOR, Role.RESPONDER):
        assert "ESTABLISHED MID_STREAM ASSUMED" == moves(found, role)[0]
    assert 1 == found.connections.mid_stream[0]


def test_repeated_ack_before_the_data_changes_nothing() -> None:
    """A keep-alive between drew it, or a copy of the SYN,ACK."""
    text = "0.00 C A 1 a1\n0.05 C A 1 a1" + GAP.replace("0.00 C A 1 a1", "")
    assert "SYN_SENT SND_SYN ASSUMED" == moves(tracked(exchange(text)), Role.ORIGINATOR)[0]


def test_capture_begins_with_its_first_segment() -> None:
    """Of whichever connection it is."""
    late = exchange(GAP)
    late.time[:] += 2 * SECOND
    late.src_port[:] += 1
    late.dst_port[:] += 1
    tracker = Tracker()
    tracker.feed(Segments.concat([exchange(GAP), late]))
    assert [1, 0] == tracker.finish().connections.mid_stream.tolist()
