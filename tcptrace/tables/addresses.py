"""`Addresses`: the distinct addresses of a capture as text, each formatted once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv6Address
from socket import AF_INET, AF_INET6, inet_ntop
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pandas as pd

from tcptrace.tables.table import categories
from tcptrace.tracker.transitions import Connections

Numbers = npt.NDArray[np.int64]

_IPV4_PREFIX = b"\0\0\xff\xff"
_IPV4_HIGH = 0xFFFF  # the same in the upper half of the lower 64 bits
_MASK = (1 << 64) - 1


@dataclass(frozen=True)
class Addresses:
    """`names[places[i]]` is the i-th address; IPv4 in dots, IPv6 as RFC 5952 writes it."""

    places: Numbers
    names: Sequence[str]

    @classmethod
    def of(cls, upper: Numbers, lower: Numbers) -> Addresses:
        """From the two 64-bit halves of addresses in IPv6 form, IPv4 as ::ffff:a.b.c.d."""
        high_codes, highs = pd.factorize(upper)
        low_codes, lows = pd.factorize(lower)
        codes, pairs = pd.factorize(high_codes * max(len(lows), 1) + low_codes)
        width = max(len(lows), 1)
        halves = highs[pairs // width], lows[pairs % width]
        return cls(codes.astype(np.int64), _names(*halves))

    @cached_property
    def dtype(self) -> pd.CategoricalDtype:
        """The names as the categories of a column, made once for all that have them."""
        return categories(self.names)

    @classmethod
    def of_connections(cls, rows: Connections) -> Addresses:
        """Of both ends of each connection, the originator's before the responder's.

        Several tables want them of the same rows, and they are made once.
        """
        if rows not in _MADE:
            upper = np.stack([rows.orig_hi, rows.resp_hi], axis=1).reshape(-1)
            lower = np.stack([rows.orig_lo, rows.resp_lo], axis=1).reshape(-1)
            _MADE[rows] = cls.of(upper, lower)
        return _MADE[rows]


_MADE: WeakKeyDictionary[Connections, Addresses] = WeakKeyDictionary()


def _names(upper: Numbers, lower: Numbers) -> list[str]:
    """The addresses as text; most are IPv4, which needs no look at each."""
    names = np.empty(len(upper), object)
    four = (upper == 0) & (lower >> 32 == _IPV4_HIGH)
    names[four] = _dotted(lower[four])
    others = zip(upper[~four].tolist(), lower[~four].tolist(), strict=True)
    names[~four] = [address(*halves) for halves in others]
    found: list[str] = names.tolist()
    return found


def _dotted(lower: Numbers) -> list[str]:
    """IPv4 addresses as text: the octets' texts side by side, less what they do not fill."""
    octets = lower.astype(">u4").view(np.uint8)
    letters = np.frombuffer(_OCTETS[octets].tobytes(), np.uint8).reshape(-1, 4, _OCTETS.itemsize)
    letters = letters.copy()
    letters[:, -1][letters[:, -1] == ord(".")] = ord("\n")
    text: bytes = letters[letters != 0].tobytes()
    return text.decode("ascii").splitlines()


_OCTETS = np.array([f"{octet}.".encode() for octet in range(256)])


def address(upper: int, lower: int) -> str:
    """One address as text, from its two halves, signed or not."""
    octets = ((upper & _MASK) << 64 | lower & _MASK).to_bytes(16)
    if upper == 0 and octets[8:12] == _IPV4_PREFIX:
        return inet_ntop(AF_INET, octets[12:])
    # The system writes dots into ::/64, which RFC 5952 leaves to the known prefixes.
    return inet_ntop(AF_INET6, octets) if upper else str(IPv6Address(octets))
