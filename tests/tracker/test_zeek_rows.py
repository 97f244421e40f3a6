"""Pins conn_state for every pair of states that Zeek's two endpoints can be in."""

from __future__ import annotations

from itertools import product

from zeek_ends import named

from tcptrace.tracker.zeek_rows import CONN_STATES, EndpointState, ZeekRows, ZeekSlots

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


def test_octets_fit_in_the_first_cells() -> None:
    """No octet shares its place with another, a letter or a column; a usual history has room."""
    places = [ZeekSlots.octet(name) for name in ZeekSlots.OCTETS]
    assert list(range(len(places))) == places
    assert len(places) + ZeekSlots.room() == 8 * ZeekSlots.index("time_end")
    assert ZeekSlots.room() >= len("ShADaGdgtgFfTtr")
