"""Both endpoints' RFC 9293 states, rebuilt from a packet capture, with the evidence for each move.

    trace = tcptrace.read("office.pcapng.zst")
    trace.connections, trace.timeline, trace.anomalies, trace.connection(7).story()

The floors, each resting only on those above it in this list:

    errors      every exception that is raised on purpose
    columns     `Rows`: the batches of int64 columns that cross the floors
    cells       many cells of `Rows` at once, for kernels
    octet_order octets as numbers, for kernels
    tcp         what RFC 9293 says: states, events, the machine, timers by system
    fsm         the machine of `tcp`, to look at and to draw
    sources     files and streams become `Packets`
    decode      packets become `Segments`
    tracker     segments become each endpoint's moves: `Transitions`, `Connections`, `Endpoints`
    tables      moves become DataFrames; every column is declared in `tables.schema`
    anomalies   what is odd about them, in sentences; the list is `anomalies.catalogue`
    views       tables become pictures, all in one palette
    part        `Part`: connections whose rows are final, as tables
    trace       `Trace` and `Connection`: what a user holds
    pipeline    `read()`: a source all the way to a trace
    intake      a thread that takes packets in as they come
    look        `Update`: what changed in a live capture, and all that is known of it at a moment
    live        `sniff()`: the same of traffic that still flows
    cluster     `read_distributed()`: the same answer, computed on a Dask cluster
    faces       the command line

Names are imported when they are first used, so that `tcptrace --version` loads no pandas.
"""

from __future__ import annotations

from importlib import import_module

from tcptrace.compiled import require_compiled
from tcptrace.errors import CaptureError, TcptraceError, UsageError
from tcptrace.version import VERSION

__version__ = VERSION
TYPE_CHECKING = False  # as typing has it, which takes longer to import than all else here
if TYPE_CHECKING:
    from typing import Any

    from tcptrace import fsm as fsm
    from tcptrace.cluster.reading import read_distributed as read_distributed
    from tcptrace.live import sniff as sniff
    from tcptrace.pipeline import read as read
    from tcptrace.tcp.timers import profile as profile
    from tcptrace.trace import Connection as Connection
    from tcptrace.trace import Trace as Trace

__all__ = [
    "CaptureError",
    "Connection",
    "TcptraceError",
    "Trace",
    "UsageError",
    "fsm",
    "profile",
    "read",
    "read_distributed",
    "sniff",
]

_HOMES = {
    "Connection": "tcptrace.trace:Connection",
    "Trace": "tcptrace.trace:Trace",
    "fsm": "tcptrace.fsm:",
    "profile": "tcptrace.tcp.timers:profile",
    "read": "tcptrace.pipeline:read",
    "read_distributed": "tcptrace.cluster.reading:read_distributed",
    "sniff": "tcptrace.live:sniff",
}

require_compiled()


def __getattr__(name: str) -> Any:
    """A public name, imported from its home on first use."""
    home, _, attribute = _HOMES.get(name, "").partition(":")
    if not home:
        raise AttributeError(f"module 'tcptrace' has no attribute {name!r}")
    module = import_module(home)
    found = getattr(module, attribute) if attribute else module
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
