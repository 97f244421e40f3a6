"""`Sentences`: what is told of an anomaly, with holes for names, numbers, durations and packets.

A hole `{name:spec}` is filled by `wording`: `span` writes nanoseconds as a duration, `times` a
count as `twice`, `octets` a size, `packets` numbers of packets, `counted noun` a number and its
noun, `count` a number with its thousands parted; `after`, `silence` and `keepalive` write a
whole phrase about a duration, or nothing if it is too short to matter. Without a spec a value
stands as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from string import Formatter
from typing import Any

from tcptrace.tables import wording

_LONG = wording.SECOND  # a silence that is worth a word

_SPECS: dict[str, Callable[[Any], str]] = {
    "span": wording.span,
    "times": wording.times,
    "octets": wording.octets,
    "packets": wording.packets,
    "listed": wording.listed,
    "count": "{:,}".format,
    "after": lambda ns: f" after {wording.span(ns)}" if ns > 0 else "",
    "silence": lambda ns: f", after a silence of {wording.span(ns)}" if ns >= _LONG else "",
    "keepalive": lambda ns: (
        f" A keep-alive shorter than {wording.span(ns)} would tell earlier." if ns >= _LONG else ""
    ),
}


@dataclass(frozen=True)
class Sentences:
    """Whole sentences. `many` is the headline where several connections share the cause.

    why : the facts that force this reading, told of the worst connection
    ruled_out : what it is not, and how that is known
    advice : one thing to do or to look at
    limits : what about any capture could change the verdict
    """

    headline: str
    many: str
    why: str
    ruled_out: str
    advice: str
    limits: str

    def told(self, values: Mapping[str, Any], count: int) -> dict[str, str]:
        """The five texts with the holes filled; of several connections, why tells of one."""
        several = count > 1
        why = "In connection {conn}, the longest: " + self.why if several else self.why
        texts = {
            "headline": self.many if several else self.headline,
            "why": why,
            "ruled_out": self.ruled_out,
            "advice": self.advice,
            "limits": self.limits,
        }
        return {name: _filled(text, values) for name, text in texts.items()}


def _filled(text: str, values: Mapping[str, Any]) -> str:
    return "".join(
        before if write is None else before + write(values[name])
        for before, name, write in _pieces(text)
    )


@cache
def _pieces(text: str) -> list[tuple[str, str, Callable[[Any], str] | None]]:
    """What stands before each hole, the hole's name, and what writes a value into it."""
    parsed = Formatter().parse(text)
    return [
        (before, name or "", None if name is None else _writer(spec or ""))
        for before, name, spec, _ in parsed
    ]


def _writer(spec: str) -> Callable[[Any], str]:
    if spec.startswith("counted "):
        noun = spec.removeprefix("counted ")
        return lambda value: wording.counted(value, noun)
    return _SPECS.get(spec, str)
