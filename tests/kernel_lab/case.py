"""`Case`: a script for the lab, where the tap stands, and the truth that it must produce.

The docstring of the script is the case's README: a title, what it shows, what to look for.
"""

from __future__ import annotations

import inspect
import re
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .capture_file import LINKTYPE_ETHERNET
from .weather import CLEAR, Weather
from .witness import Life

if TYPE_CHECKING:
    from .lab import Lab


@dataclass(frozen=True)
class Case:
    """`client` and `server` say the states of each socket in order of birth, from the RFC.

    A state in parentheses begins and ends within one segment. What the kernel did must be
    exactly this, or the case is not written. `anomalies` are the codes that tcptrace is to find,
    in the order of names; `unknowable` says whose states, as in `server FIN_WAIT_1`, began
    at a moment that no packet bounds. `further` taps each write a file of their own beside
    `file`, which is the capture of `tap`.
    """

    script: Callable[[Lab], None]
    client: tuple[str, ...] | None
    server: tuple[str, ...] | None
    anomalies: tuple[str, ...] = ()
    unknowable: tuple[str, ...] = ()
    tap: str = "middle"
    file: str = "capture.pcapng"
    further: tuple[str, ...] = ()
    link_type: int = LINKTYPE_ETHERNET
    family: socket.AddressFamily = socket.AF_INET
    sysctls: Mapping[str, int] = field(default_factory=dict)
    weather: Weather = CLEAR
    ports: int = 10
    offload: bool = False
    named: str = ""

    @property
    def name(self) -> str:
        """The case's folder in captures/: its script's name, unless it has one of its own."""
        return self.named or self.script.__name__

    @property
    def title(self) -> str:
        return self.text.partition("\n")[0].rstrip(".")

    @property
    def text(self) -> str:
        return inspect.cleandoc(self.script.__doc__ or "")

    @property
    def files(self) -> dict[str, str]:
        """The file of each tap, that of `tap` first."""
        return {self.tap: self.file, **{tap: f"{tap}.pcapng" for tap in self.further}}

    def check(self, lives: list[Life]) -> None:
        """ValueError if the kernel did something else than the case is meant to show."""
        for side, meant in (("client", self.client), ("server", self.server)):
            happened = tuple(told(life) for life in lives if life.side == side)
            if meant is not None and happened != meant:
                raise ValueError(f"{self.name}, {side}: meant {meant}, happened {happened}")


def told(life: Life) -> str:
    """A life's states in a line, `SYN_SENT ESTABLISHED ...`, those of a moment in parentheses."""
    names = (f"({s.state.name})" if s.transit else s.state.name for s in life.steps)
    return re.sub(r"\s+", " ", " ".join(names))
