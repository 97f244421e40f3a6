"""The endpoints that play conversations: what RFC 9293 section 3.10.7 makes of a segment."""

from __future__ import annotations

import pytest
from endpoint import Endpoint, Move, Segment

from tcptrace.tcp.flags import ACK, FIN, RST, SYN
from tcptrace.tcp.states import Event, State


def established() -> Endpoint:
    """A passive endpoint that has received up to 101 and sent up to 301."""
    endpoint = Endpoint()
    endpoint.drawn([State.LISTEN], 0)
    endpoint.receive(Segment(100, 0, SYN), 1)
    endpoint.send(Segment(300, 101, SYN | ACK), 2)
    endpoint.receive(Segment(101, 301, ACK), 3)
    assert State.ESTABLISHED is endpoint.state
    return endpoint


@pytest.mark.parametrize(
    ("seq", "expected"),
    [(101, State.CLOSED), (100, State.ESTABLISHED), (102, State.ESTABLISHED)],
)
def test_established_takes_an_exact_rst_alone(seq: int, expected: State) -> None:
    """RFC 5961, in RFC 9293 section 3.10.7.4: what is not at RCV.NXT draws a challenge ACK."""
    endpoint = established()
    endpoint.receive(Segment(seq, 0, RST), 4)
    assert expected is endpoint.state


def test_close_wait_takes_a_rst_at_its_fin() -> None:
    """Linux tcp_reset_check: the sender of the RST may not know that its FIN was taken in."""
    endpoint = established()
    endpoint.receive(Segment(101, 301, FIN | ACK), 4)
    assert State.CLOSE_WAIT is endpoint.state
    endpoint.receive(Segment(101, 0, RST), 5)
    assert State.CLOSED is endpoint.state


def test_established_keeps_a_fin_until_the_hole_is_filled() -> None:
    """Section 3.10.7.4, eighth: only what lies at RCV.NXT is processed."""
    endpoint = established()
    endpoint.receive(Segment(201, 301, FIN | ACK), 4)
    assert State.ESTABLISHED is endpoint.state
    endpoint.receive(Segment(101, 301, ACK, 100), 5)
    assert (State.CLOSE_WAIT, 202) == (endpoint.state, endpoint.rcv_nxt)


def test_an_ack_of_what_was_not_sent_is_no_event() -> None:
    """SEG.ACK > SND.NXT is answered and dropped."""
    endpoint = established()
    endpoint.receive(Segment(101, 999, FIN | ACK), 4)
    endpoint.send(Segment(301, 102, FIN | ACK), 5)
    endpoint.receive(Segment(102, 999, ACK), 6)
    assert State.LAST_ACK is endpoint.state
    endpoint.receive(Segment(102, 302, ACK), 7)
    assert State.CLOSED is endpoint.state


@pytest.mark.parametrize("bits", [RST, RST | ACK], ids=["no ACK", "a bad ACK"])
def test_syn_sent_ignores_a_rst_that_does_not_acknowledge_its_syn(bits: int) -> None:
    """Section 3.10.7.3, second."""
    endpoint = Endpoint()
    endpoint.drawn([State.CLOSED], 0)
    endpoint.send(Segment(100, 0, SYN), 1)
    endpoint.receive(Segment(0, 55 if bits & ACK else 0, bits), 2)
    assert State.SYN_SENT is endpoint.state
    endpoint.receive(Segment(0, 101, RST | ACK), 3)
    assert State.CLOSED is endpoint.state


def test_numbers_wrap() -> None:
    """A FIN at 0xFFFFFFFF is acknowledged by 0."""
    endpoint = Endpoint()
    endpoint.drawn([State.ESTABLISHED], 0)
    endpoint.send(Segment(0xFFFFFFFF, 7, FIN | ACK), 1)
    endpoint.receive(Segment(7, 0xFFFFFFFF, ACK), 2)
    assert State.FIN_WAIT_1 is endpoint.state
    endpoint.receive(Segment(7, 0, ACK), 3)
    assert State.FIN_WAIT_2 is endpoint.state


def test_a_life_is_cut_into_connections() -> None:
    """Each time CLOSED is left another one begins."""
    endpoint = established()
    endpoint.receive(Segment(101, 0, RST), 4)
    endpoint.receive(Segment(500, 0, SYN), 5)
    first, second = endpoint.lives()
    assert Move(4, State.CLOSED, Event.RCV_RST) == first[-1]
    assert [State.LISTEN, State.SYN_RCVD] == [move.state for move in second]
