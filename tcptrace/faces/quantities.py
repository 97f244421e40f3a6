"""Times, durations and counts as people write and read them, exact to the nanosecond."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import ROUND_DOWN, Decimal

from tcptrace.errors import UsageError

SECOND = 1_000_000_000
UNITS = {
    "ns": 1, "us": 1_000, "µs": 1_000, "μs": 1_000, "ms": 1_000_000,
    "s": SECOND, "sec": SECOND, "m": 60 * SECOND, "min": 60 * SECOND,
    "h": 3600 * SECOND, "d": 86_400 * SECOND,
}  # fmt: skip
LARGE = ((10**12, "TB"), (10**9, "GB"), (10**6, "MB"), (10**3, "kB"))
LONGEST = (1 << 63) - 1
ONE = re.compile(r"(\d+(?:\.\d+)?)\s*([a-zµμ]*)")
FRACTION = re.compile(r"(:\d\d)\.(\d{1,9})")


def parse_duration(text: str) -> int:
    """Nanoseconds of `250ms`, `1.5 s`, `2m30s`, `60` (seconds); UsageError for anything else."""
    pieces = ONE.findall(text.strip().lower())
    spelt = "".join(number + unit for number, unit in pieces)
    if not pieces or spelt != re.sub(r"\s", "", text.lower()):
        raise UsageError(f"{text!r} is no duration such as 250ms, 60s or 2m30s")
    if any(unit and unit not in UNITS for _, unit in pieces):
        raise UsageError(f"{text!r}: units are {', '.join(UNITS)}")
    total = sum(Decimal(number) * UNITS[unit or "s"] for number, unit in pieces)
    return min(int(total), LONGEST)


def parse_time(text: str) -> int:
    """Nanoseconds since the epoch of an ISO 8601 time, UTC unless it says otherwise."""
    digits = ""

    def keep(match: re.Match[str]) -> str:
        nonlocal digits
        digits = match[2]
        return match[1]

    try:
        moment = datetime.fromisoformat(FRACTION.sub(keep, text.strip(), count=1))
    except ValueError:
        raise UsageError(f"{text!r} is no time such as 2026-11-25T03:42:29Z") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    gap = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (gap.days * 86_400 + gap.seconds) * SECOND + int(digits.ljust(9, "0") or 0)


def seconds(ns: int) -> str:
    """A duration in seconds with all nine decimals, `-0.000000001`: exact, unlike a float."""
    whole, rest = divmod(abs(ns), SECOND)
    return f"{'-' if ns < 0 else ''}{whole}.{rest:09d}"


def span(ns: int) -> str:
    """A duration for people, cut to three figures: `210 µs`, `1.52 s`, `2 m 05 s`, `3 d 04 h`."""
    sign, size = "-" if ns < 0 else "", abs(ns)
    for unit, limit in (("ns", 1_000), ("µs", 1_000_000), ("ms", SECOND), ("s", 60 * SECOND)):
        if size < limit:
            return f"{sign}{_figures(Decimal(size) / UNITS[unit])} {unit}"
    large, small = "d", "h"
    if size < 48 * UNITS["h"]:
        large, small = ("h", "m") if size >= UNITS["h"] else ("m", "s")
    whole, rest = divmod(size, UNITS[large])
    return f"{sign}{whole:,} {large} {rest // UNITS[small]:02d} {small}"


def _figures(number: Decimal) -> str:
    decimals = 0 if number == int(number) else max(0, 3 - len(str(int(number))))
    return str(number.quantize(Decimal(1).scaleb(-decimals), ROUND_DOWN))


def octets(count: int) -> str:
    """A count of octets for people: `1,448 B`, `2.4 MB`, in powers of a thousand."""
    if count < 10_000:
        return f"{count:,} B"
    size, unit = next(((size, unit) for size, unit in LARGE if count >= size), LARGE[-1])
    return f"{count / size:,.1f} {unit}"


def counted(count: int, noun: str) -> str:
    """A number and its noun, `1 packet`, `2,000 packets`, `2 retries`."""
    if count == 1:
        return f"1 {noun}"
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{count:,} {plural}"
