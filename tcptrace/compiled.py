"""Which modules are compiled where there is a compiler, and whether they are.

A kernel is an ordinary `.py` file in Cython's pure-Python mode: pyproject.toml lists the same
names as `ext-modules` (a test says so), and without a compiler the very file runs interpreted.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder

KERNELS: tuple[str, ...] = (
    "tcptrace.sources.blocks",
    "tcptrace.sources.bpf",
    "tcptrace.sources.records",
    "tcptrace.sources.ring_blocks",
    "tcptrace.decode.octets",
    "tcptrace.decode.walker",
    "tcptrace.decode.link_headers",
    "tcptrace.decode.shim_headers",
    "tcptrace.decode.ip_headers",
    "tcptrace.decode.checksums",
    "tcptrace.decode.tcp_options",
    "tcptrace.decode.tcp_headers",
    "tcptrace.decode.plain",
    "tcptrace.decode.starts",
    "tcptrace.tracker.zeek",
    "tcptrace.tracker.zeek_connection",
    "tcptrace.tracker.zeek_history",
    "tcptrace.tracker.zeek_opening",
    "tcptrace.tracker.zeek_packet",
    "tcptrace.tracker.zeek_side",
    "tcptrace.tracker.zeek_timers",
    "tcptrace.tracker.zeek_harvest",
    "tcptrace.tracker.completeness",
    "tcptrace.decode.wireless_headers",
    "tcptrace.decode.tunnel_headers",
    "tcptrace.decode.udp_headers",
    "tcptrace.tracker.connections",
    "tcptrace.tracker.dating",
    "tcptrace.tracker.evidence",
    "tcptrace.tracker.odds",
    "tcptrace.tracker.pool",
    "tcptrace.tracker.packing",
    "tcptrace.tracker.pages",
    "tcptrace.tracker.resting",
    "tcptrace.tracker.tallying",
    "tcptrace.tracker.timing",
    "tcptrace.tracker.witness",
    "tcptrace.tracker.opening",
    "tcptrace.tracker.closing",
    "tcptrace.tracker.ending",
    "tcptrace.tracker.telling",
    "tcptrace.tracker.four_tuples",
    "tcptrace.tracker.queues",
    "tcptrace.tracker.recent",
    "tcptrace.tracker.trains",
    "tcptrace.tracker.silence",
    "tcptrace.tracker.reset_receipt",
    "tcptrace.tracker.stray_resets",
    "tcptrace.tracker.first_copies",
    "tcptrace.tracker.waits",
    "tcptrace.tracker.syn_received",
    "tcptrace.tracker.unseen_opening",
    "tcptrace.tracker.fin_receipt",
    "tcptrace.tracker.fin_sending",
    "tcptrace.tracker.fins",
    "tcptrace.tracker.facts",
    "tcptrace.tracker.refuting",
    "tcptrace.tracker.fin_order",
    "tcptrace.tracker.lost_fins",
    "tcptrace.tracker.precedence",
    "tcptrace.tracker.repeats",
    "tcptrace.tracker.paths",
    "tcptrace.tracker.taken_back",
)


def interpreted_kernels() -> list[str]:
    """The kernels that would run interpreted here, by name; none where all are compiled."""
    return [name for name in KERNELS if _origin(name).endswith(".py")]


def require_compiled() -> None:
    """ImportError if TCPTRACE_REQUIRE_COMPILED is set to 1 and a kernel is not compiled."""
    if os.environ.get("TCPTRACE_REQUIRE_COMPILED") != "1":
        return
    missing = interpreted_kernels()
    if missing:
        raise ImportError(f"TCPTRACE_REQUIRE_COMPILED=1, but not compiled: {', '.join(missing)}")


def _origin(name: str) -> str:
    """Where the import system takes a module from, "" for nowhere; asking imports nothing."""
    parent = name.rpartition(".")[0]
    spec = PathFinder.find_spec(name, _folders(parent) if parent else None)
    return (spec.origin or "") if spec else ""


def _folders(package: str) -> list[str]:
    if package in sys.modules:
        return list(sys.modules[package].__path__)
    above, _, name = package.rpartition(".")
    return [os.path.join(folder, name) for folder in _folders(above)]
