"""`Tracker`: feed it segments in batches of any size, finish it, and take what it knows."""

from __future__ import annotations

from dataclasses import dataclass

from tcptrace.decode.segments import Segments
from tcptrace.tcp.timers import Profile
from tcptrace.tracker.transitions import Connections, Endpoints, Transitions


@dataclass(frozen=True)
class Reconstruction:
    """All that the tracker says of a capture; conn numbers agree between the four."""

    connections: Connections
    endpoints: Endpoints
    transitions: Transitions
    histories: list[str]
