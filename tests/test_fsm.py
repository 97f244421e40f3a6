"""Pins `tcptrace.fsm`: the machine as users ask for it, its table and its drawings."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import tcptrace
from tcptrace.fsm import Event, State
from tcptrace.tcp import machine


def test_it_is_the_one_literal() -> None:
    """No copy of it."""
    assert machine.TRANSITIONS is tcptrace.fsm.TRANSITIONS
    assert State.FIN_WAIT_2 == tcptrace.fsm.step(State.FIN_WAIT_1, Event.RCV_ACK_OF_FIN)


def test_every_drawing_has_every_state() -> None:
    """Text, Mermaid, SVG and JSON; the latter two are well formed."""
    drawings = [tcptrace.fsm.text(), tcptrace.fsm.mermaid(), tcptrace.fsm.svg()]
    drawings.append(tcptrace.fsm.as_json())
    for state in State:
        assert all(state.name in each for each in drawings)
    ElementTree.fromstring(tcptrace.fsm.svg())
    json.loads(tcptrace.fsm.as_json())
