"""Pins conn.log's words: conn_state for every pair of states, completeness for every segment."""

from __future__ import annotations

from itertools import product

import pytest
from zeek_ends import named

from tcptrace.tcp import flags as bits
from tcptrace.tracker.zeek_rows import COMPLETES, CONN_STATES, EndpointState, ZeekRows

HISTORIES = ("", "S", "SR", "^SadR", "SADR", "R", "HR", "SGTR")


def test_conn_state_of_every_pair_of_states() -> None:
    """The vectorised conditions are the table of conn/main.zeek, history and octets included."""
    cases = list(product(EndpointState, EndpointState, HISTORIES, (0, 7)))
    rows = ZeekRows.zeros(len(cases))
    for row, (orig, resp, _, octets) in enumerate(cases):
        rows.orig_state[row], rows.resp_state[row], rows.bytes_1[row] = orig, resp, octets
    rows.settle([history for _, _, history, _ in cases])
    expected = [
        named(orig.name, resp.name, history, octets) for orig, resp, history, octets in cases
    ]
    assert expected == [CONN_STATES[state] for state in rows.conn_state]


@pytest.mark.parametrize(
    ("control_bits", "has_payload", "adds"),
    [
        (bits.SYN, False, 1),
        (bits.SYN, True, 1 + 8),
        (bits.SYN | bits.ACK, False, 2),
        (bits.SYN | bits.ACK, True, 2),
        (bits.ACK, False, 4),
        (bits.ACK | bits.PSH, True, 8),
        (bits.PSH, True, 0),
        (bits.FIN, False, 0),
        (bits.FIN | bits.ACK, False, 4 + 16),
        (bits.FIN | bits.ACK, True, 8 + 16),
        (bits.RST, False, 32),
        (bits.RST | bits.ACK, False, 4 + 32),
    ],
)
def test_what_a_segment_adds_to_completeness(
    control_bits: int, has_payload: bool, adds: int
) -> None:
    """packet-tcp.c: a FIN without ACK never counts, an ACK counts in a FIN or RST as well."""
    assert adds == COMPLETES[2 * control_bits + has_payload]
