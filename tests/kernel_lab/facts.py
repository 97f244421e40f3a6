"""The record of a play: what the kernels told of both hosts' sockets, as it is kept in JSON."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .capture_file import CaptureFile
from .case import Case
from .wire import Rule
from .witness import Life


@dataclass
class Played:
    """What is left of a lab after a case; times of lives are monotonic, `until` is not."""

    captures: dict[str, CaptureFile]
    lives: list[Life]
    sysctls: dict[str, int]
    rules: list[Rule]
    epoch: int
    until: int
    delay: int
    late: list[int]


def facts(case: Case, played: Played) -> dict[str, Any]:
    """The record; `until` is the last look, ns since the epoch, as are all its times."""
    return {
        "case": case.name,
        "capture": "",
        "recorded": f"{datetime.now(UTC):%Y-%m-%d}",
        "kernel": platform.release().partition("-")[0],
        "sysctls": played.sysctls,
        "one_way_delay_ms": played.delay // 1_000_000,
        "weather": str(case.weather),
        "late_ms": late_ms(played.late),
        "tap": "",
        "lost": [str(rule) for rule in played.rules],
        "packets": len(played.captures["middle"].records),
        "until": played.until,
        "endpoints": [_endpoint(life, played.epoch) for life in played.lives],
    }


def late_ms(late: list[int]) -> float:
    """By how many ms the wire was late for one packet of a hundred: what a busy machine adds."""
    return round(sorted(late)[int(len(late) * 0.99)] / 1e6, 3) if late else 0.0


def profile_of(told: dict[str, Any]) -> dict[str, int]:
    """The settings of a record by the kernel's names, as `tcptrace.profile` takes them."""
    return {name.rpartition("/")[2]: value for name, value in told["sysctls"].items()}


def _endpoint(life: Life, epoch: int) -> dict[str, Any]:
    """A socket's life; times are ns since the epoch, on the clock that stamped the packets."""
    return {
        "side": life.side,
        "ip": life.found.ip,
        "port": life.found.port,
        "peer_ip": life.found.peer_ip,
        "peer_port": life.found.peer_port,
        "states": [
            {
                "state": step.state.name,
                "earliest": epoch + step.earliest,
                "latest": epoch + step.latest,
                "transit": step.transit,
            }
            for step in life.steps
        ],
    }
