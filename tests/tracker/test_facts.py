"""Pins `gather` through the tracker: what each endpoint was seen to do."""

from __future__ import annotations

import pytest
from exchange import CLOSE, NO_ROUTE, OPEN, START, exchange

from tcptrace.decode.segments import Segments
from tcptrace.tracker import judgement
from tcptrace.tracker.tracker import Tracker
from tcptrace.tracker.transitions import Endpoints, ResetForm


@pytest.fixture(autouse=True)
def gathered(kernel, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    """The kernel under test in its place."""
    monkeypatch.setattr(judgement, "facts", kernel("tcptrace.tracker.facts"))


def ends(text: str | Segments) -> Endpoints:
    """The originator's and the responder's row."""
    tracker = Tracker()
    tracker.feed(exchange(text) if isinstance(text, str) else text)
    return tracker.finish().endpoints


def seconds(times: list[int]) -> list[float]:
    return [round((time - START) / 1e9, 3) for time in times]


def test_syns_are_counted_and_timed() -> None:
    """First and last copy, and whether an answer came."""
    told = ends("0 C S 0\n1 C S 0\n1.02 S SA 0 a1\n1.04 C A 1 a1")
    assert ([2, 1], [1, 3], [2, 3]) == (
        told.syn_count.tolist(),
        told.syn_packet.tolist(),
        told.syn_last_packet.tolist(),
    )
    assert [0, 1.02] == seconds(told.syn_time.tolist())
    assert [1, 0] == told.syn_answered.tolist()
    assert [0, 0] == ends("0 C S 0\n1 C S 0").syn_answered.tolist()


def test_ignored_handshake_acks() -> None:
    """Those that a repeated SYN,ACK proves lost or ignored, of the side that repeats it."""
    told = ends(OPEN + "1.02 S SA 0 a1\n1.04 C A 1 a1\n3.02 S SA 0 a1\n3.04 C A 1 a1")
    assert [0, 2] == told.acks_ignored.tolist()


def test_fins_and_their_acknowledgement() -> None:
    """The first FIN, how many, whether it acknowledged the peer's, and when it was acknowledged."""
    told = ends(OPEN + CLOSE)
    assert ([1, 1], [0, 1]) == (told.fin_count.tolist(), told.fin_peer_acked.tolist())
    assert [4, 5] == told.fin_packet.tolist()
    assert [5, 6] == told.fin_acked_packet.tolist()
    assert [1.02, 1.04] == seconds(told.fin_acked_time.tolist())


def test_repeated_fin() -> None:
    """The last copy is kept beside the first."""
    told = ends(OPEN + "1 C FA 1 a1\n1.3 C FA 1 a1\n1.9 C FA 1 a1")
    assert (3, 4, 6) == (told.fin_count[0], told.fin_packet[0], told.fin_last_packet[0])
    assert 0 == told.fin_acked_packet[0]
    assert 1 == told.unacked[0]


def test_half_close_in_use() -> None:
    """Payload sent after the peer's FIN had been acknowledged, and whether it got there."""
    told = ends(
        OPEN + "1 C FA 1 a1\n1.02 S A 1 a2\n2 S PA 1+50 a2\n3 S PA 51+50 a2\n3.02 C A 2 a51"
    )
    assert ([0, 100], [0, 6]) == (
        told.half_close_payload.tolist(),
        told.half_close_packet.tolist(),
    )
    assert [0, 1] == told.half_close_acked.tolist()


@pytest.mark.parametrize(
    ("reset", "form"),
    [
        ("0.02 S RA -5000 a1", ResetForm.REFUSAL),
        ("0.02 S SA 0 a1\n0.04 C A 1 a1\n1 S R 1", ResetForm.STRAY),
        ("0.02 S SA 0 a1\n0.04 C A 1 a1\n1 S RA 1 a1", ResetForm.ABORT),
    ],
)
def test_form_of_a_reset(reset: str, form: ResetForm) -> None:
    """A refusal is numbered 0, a stray one has no ACK, an abort has both."""
    told = ends(f"0 C S 0\n{reset}")
    assert [ResetForm.NONE, form] == told.rst_form.tolist()
    assert [0, 1] == told.rst_count.tolist()
    assert 1 == told.rst_taken[1]


def test_reset_that_nobody_took() -> None:
    """Out of window: the peer goes on."""
    told = ends(OPEN + "1 S RA 70000 a1\n2 C PA 1+5 a1\n2.02 S A 1 a6")
    assert (1, 0) == (told.rst_count[1], told.rst_taken[1])


def test_icmp_error_about_a_syn() -> None:
    """It counts as an answer."""
    told = ends("0 C S 0\n0.1 C S 0 icmp")
    assert (2, NO_ROUTE, 1) == (told.icmp_packet[0], told.icmp[0], told.syn_answered[0])


def test_what_the_capture_lacks() -> None:
    """Octets that were acknowledged but not captured are the sender's missing ones."""
    told = ends(OPEN + "1 S A 1 a101")
    assert [1, 0] == told.unseen.tolist()


def test_copies_are_left_out() -> None:
    """A packet captured twice was sent once."""
    segments = exchange(OPEN + "1 C FA 1 a1 id=7\n1 C FA 1 a1 id=7")
    told = ends(segments)
    assert (1, 1, 3) == (told.fin_count[0], told.duplicates[0], told.segments[0])
