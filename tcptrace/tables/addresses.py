"""`Addresses`: the distinct addresses of a capture as text, each formatted once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address
from socket import AF_INET, AF_INET6, inet_ntop

import numpy as np
import numpy.typing as npt
import pandas as pd

Numbers = npt.NDArray[np.int64]

_IPV4_PREFIX = b"\0\0\xff\xff"
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
        names = [address(int(highs[pair // width]), int(lows[pair % width])) for pair in pairs]
        return cls(codes.astype(np.int64), names)


def address(upper: int, lower: int) -> str:
    """One address as text, from its two halves, signed or not."""
    octets = ((upper & _MASK) << 64 | lower & _MASK).to_bytes(16)
    if upper == 0 and octets[8:12] == _IPV4_PREFIX:
        return inet_ntop(AF_INET, octets[12:])
    # The system writes dots into ::/64, which RFC 5952 leaves to the known prefixes.
    return inet_ntop(AF_INET6, octets) if upper else str(IPv6Address(octets))
