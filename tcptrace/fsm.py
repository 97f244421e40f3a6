"""The reference machine, to look at and to draw.

    tcptrace.fsm.step(State.FIN_WAIT_1, Event.RCV_ACK_OF_FIN)   # State.FIN_WAIT_2
    tcptrace.fsm.TRANSITIONS[State.LISTEN]                      # what leads where, by event
    print(tcptrace.fsm.text())                                  # as mermaid(), svg() and as_json()

All of it comes from the one literal in `tcptrace.tcp.machine` (RFC 9293 figure 5 and section
3.10); `INFERENCES` is what systems and an observer add to it.
"""

from __future__ import annotations

from tcptrace.tcp.diagram import as_json, mermaid, text
from tcptrace.tcp.diagram import figure as svg
from tcptrace.tcp.machine import INFERENCES, TABLE, TRANSITIONS, Stay, step
from tcptrace.tcp.states import Event, State

__all__ = [
    "INFERENCES",
    "TABLE",
    "TRANSITIONS",
    "Event",
    "State",
    "Stay",
    "as_json",
    "mermaid",
    "step",
    "svg",
    "text",
]
