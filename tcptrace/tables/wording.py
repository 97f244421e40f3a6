"""How durations, counts, octets, endpoints and packets are written in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal

MICROSECOND = 1_000
MILLISECOND = 1_000_000
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_SMALL = (("ns", 1, MICROSECOND), ("µs", MICROSECOND, MILLISECOND), ("ms", MILLISECOND, SECOND))
_LARGE = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))
_MOST_LISTED = 6


def span(ns: int) -> str:
    """A duration, cut to three figures: `210 µs`, `1.52 s`, `2 m 05 s`, `3 d 04 h`."""
    sign, size = "-" if ns < 0 else "", abs(ns)
    for unit, one, limit in (*_SMALL, ("s", SECOND, MINUTE)):
        if size < limit:
            return f"{sign}{_figures(Decimal(size) / one)} {unit}"
    large, small = ("d", DAY), ("h", HOUR)
    if size < 2 * DAY:
        large, small = (
            (("h", HOUR), ("m", MINUTE)) if size >= HOUR else (("m", MINUTE), ("s", SECOND))
        )
    whole, rest = divmod(size, large[1])
    return f"{sign}{whole:,} {large[0]} {rest // small[1]:02d} {small[0]}"


def octets(count: int) -> str:
    """A count of octets: `1,448 B`, `2.4 MB`, in powers of a thousand."""
    if count < 10_000:
        return f"{count:,} B"
    size, unit = next((size, unit) for size, unit in _LARGE if count >= size)
    return f"{count / size:,.1f} {unit}"


def counted(count: int, noun: str) -> str:
    """A number and its noun: `1 packet`, `2,000 packets`, `2 retries`."""
    if count == 1:
        return f"1 {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {plural}"


def times(count: int) -> str:
    """How often: `once`, `twice`, `3 times`."""
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


def endpoint(ip: str, port: int) -> str:
    """Address and port: `10.0.0.5:8080`, `[2001:db8::5]:8080`."""
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def packets(numbers: Sequence[int]) -> str:
    """Packets by their numbers: `packet 4`, `packets 4, 6 and 9`."""
    if not numbers:
        return "no packet"
    return ("packet " if len(numbers) == 1 else "packets ") + listed([f"{n}" for n in numbers])


def listed(words: Sequence[str]) -> str:
    """Words in a row: `a`, `a and b`, `a, b and c`; of many, the first and how many more."""
    if len(words) > _MOST_LISTED:
        head = ", ".join(words[: _MOST_LISTED - 1])
        return f"{head} and {len(words) - _MOST_LISTED + 1:,} more"
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _figures(number: Decimal) -> str:
    decimals = 0 if number == int(number) else max(0, 3 - len(str(int(number))))
    return str(number.quantize(Decimal(1).scaleb(-decimals), ROUND_DOWN))
