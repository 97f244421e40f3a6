"""Times and durations as people type and read them, exact to the nanosecond."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

from tcptrace.errors import UsageError
from tcptrace.tables.wording import DAY, HOUR, MICROSECOND, MILLISECOND, MINUTE, SECOND
from tcptrace.views.lettering import offset as offset

UNITS = {
    "ns": 1, "us": MICROSECOND, "µs": MICROSECOND, "μs": MICROSECOND, "ms": MILLISECOND,
    "s": SECOND, "sec": SECOND, "m": MINUTE, "min": MINUTE, "h": HOUR, "d": DAY,
}  # fmt: skip
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
    return gap.days * DAY + gap.seconds * SECOND + int(digits.ljust(9, "0") or 0)
