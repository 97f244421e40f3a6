"""`Case`: a script for the lab, where the tap stands, and the truth that it must produce.

The docstring of the script is the case's README: a title, what it shows, what to look for.
"""

from __future__ import annotations

import inspect
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass

from .capture_file import LINKTYPE_ETHERNET
from .lab import Lab
from .witness import Life


@dataclass(frozen=True)
class Case:
    """`client` and `server` say the states of each socket in order of birth, from the RFC.

    A state in parentheses begins and ends within one segment. What the kernel did must be
    exactly this, or the case is not written. `anomalies` are the codes that tcptrace is to find,
    in the order of names; `unknowable` says whose states, as in `server FIN_WAIT_1`, began
    at a moment that no packet bounds.
    """

    script: Callable[[Lab], None]
    client: tuple[str, ...]
    server: tuple[str, ...]
    anomalies: tuple[str, ...] = ()
    unknowable: tuple[str, ...] = ()
    tap: str = "middle"
    file: str = "capture.pcapng"
    link_type: int = LINKTYPE_ETHERNET
    family: socket.AddressFamily = socket.AF_INET

    @property
    def name(self) -> str:
        """The case's folder in captures/."""
        return self.script.__name__

    @property
    def title(self) -> str:
        return self.text.partition("\n")[0].rstrip(".")

    @property
    def text(self) -> str:
        return inspect.cleandoc(self.script.__doc__ or "")

    def check(self, lives: list[Life]) -> None:
        """ValueError if the kernel did something else than the case is meant to show."""
        for side, meant in (("client", self.client), ("server", self.server)):
            happened = tuple(told(life) for life in lives if life.side == side)
            if happened != meant:
                raise ValueError(f"{self.name}, {side}: meant {meant}, happened {happened}")


def told(life: Life) -> str:
    """A life's states in a line, `SYN_SENT ESTABLISHED ...`, those of a moment in parentheses."""
    names = (f"({s.state.name})" if s.transit else s.state.name for s in life.steps)
    return re.sub(r"\s+", " ", " ".join(names))
