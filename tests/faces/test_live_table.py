"""The picture of a live capture at the sizes that terminals have."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from faces.looks import CAPTURES, update_of
from rich.console import Console

from tcptrace.faces.live_table import age_of, drawn, fitted
from tcptrace.look import Update
from tcptrace.sources.live_source import Counters

SECOND = 1_000_000_000
EVERYTHING = [path.parent.name for path in sorted(CAPTURES.glob("*/capture.*"))]
LOSSES = Counters(1_234_567, 12, 3, 1_500_000_000, 4, 5)


@pytest.fixture(scope="module")
def everything() -> Update:
    return update_of(*EVERYTHING, counters=LOSSES)


def lines_of(update: Update, width: int, height: int | None, name: str = "eth0") -> list[str]:
    """The picture's lines, as text."""
    stream = io.StringIO()
    console = Console(file=stream, width=width, height=height, markup=False, highlight=False)
    console.print(drawn(update, name, 75 * SECOND, width, height))
    return stream.getvalue().split("\n")[:-1]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (200, 50), (40, 16), (132, 24)])
def test_it_fits_the_terminal(everything: Update, width: int, height: int) -> None:
    """No line is longer, and there are no more lines, than the terminal has."""
    lines = lines_of(everything, width, height)
    assert len(lines) <= height
    assert max(map(len, lines)) <= width


@pytest.mark.parametrize("width", [80, 200, 40])
def test_no_counter_is_cut_off(everything: Update, width: int) -> None:
    """However narrow it is, what was lost is in sight."""
    text = " ".join(" ".join(lines_of(everything, width, 24)).split())
    for counter in (
        "1,234,567 packets", "12 dropped", "3 dropped by interface", "1.5 s behind", "4 evicted",
        "5 forgotten", "1m15s",
    ):  # fmt: skip
        assert counter in text


def test_both_states_side_by_side_with_their_ages(everything: Update) -> None:
    """And in a wide terminal the findings beside them."""
    row = next(line for line in lines_of(everything, 200, 50) if ":40110" in line).split()
    assert ["192.0.2.1:40110", "→", "192.0.2.2:8080", "CLOSED~"] == row[1:5]
    assert ["CLOSE_WAIT", "close-wait-leak,", "fin-wait-2-stalled"] == [row[6], *row[8:]]


def test_findings_have_the_room_that_is_left(everything: Update) -> None:
    """All of them where there is room; else the gravest, and how many more."""
    wide, narrow = lines_of(everything, 200, 50), lines_of(everything, 80, 24)
    count = int((everything.look.known.table["severity"] > "info").sum())
    assert count == sum(line.startswith("[") for line in wide)
    told = sum(line.startswith("[") for line in narrow)
    assert f"and {count - told} more findings" == narrow[-1].strip()


def test_before_the_first_packet() -> None:
    """Nothing is there yet, and that is said."""
    empty = update_of("abort")
    look = replace(
        empty.look,
        found=empty.look.found.__class__(
            *(rows.take(slice(0)) for rows in _rows(empty)), [], empty.look.ordinals[:0]
        ),
        ordinals=empty.look.ordinals[:0],
        known=replace(empty.look.known, table=empty.look.known.table[:0], members=_none()),
    )
    text = "\n".join(lines_of(replace(empty, look=look), 80, 24))
    assert "none yet" in text and "no findings" in text


def test_markup_in_what_comes_from_outside_is_text(everything: Update) -> None:
    """Neither a name nor a headline can colour, link, or move the cursor."""
    table = everything.look.known.table
    evil = table.assign(headline="[red]\x1b]8;;http://x\x07[/red]")
    known = replace(everything.look.known, table=evil)
    update = replace(everything, look=replace(everything.look, known=known))
    text = "\n".join(lines_of(update, 200, 50, "[link=x]\x1b[2Jeth0"))
    assert "\x1b" not in text and "\x07" not in text
    assert "[link=x]\\x1b[2Jeth0" in text and "[red]\\x1b]8;;http://x\\x07[/red]" in text


@pytest.mark.parametrize(
    ("ns", "expected"),
    [
        (-5, "0s"), (0, "0s"), (SECOND - 1, "0s"), (59 * SECOND, "59s"), (63 * SECOND, "1m03s"),
        (3600 * SECOND, "1h00m"), (86_399 * SECOND, "23h59m"), (86_400 * SECOND, "1d00h"),
        (1_051_200 * SECOND, "12d04h"),
    ],
)  # fmt: skip
def test_ages(ns: int, expected: str) -> None:
    """Short, and never more than two units."""
    assert expected == age_of(ns)


@pytest.mark.parametrize(
    ("near", "far", "room", "expected"),
    [
        ("192.0.2.1:1", "192.0.2.2:80", 40, "192.0.2.1:1 → 192.0.2.2:80"),
        ("[2001:db8::1:2:3]:40000", "192.0.2.2:80", 30, "[2001:d…]:40000 → 192.0.2.2:80"),
        (
            "[2001:db8:1:2:3:4:5:6]:40000",
            "[2001:db8:6:5:4:3:2:1]:443",
            35,
            "[2001:d…6]:40000 → [2001:d…2:1]:443",
        ),
    ],
)
def test_long_addresses_lose_their_middle(near: str, far: str, room: int, expected: str) -> None:
    """The beginning and the port are what tells them apart."""
    found = fitted(near, far, room)
    assert len(found) <= room
    assert expected == found


def _rows(update: Update) -> tuple:
    found = update.look.found
    return found.connections, found.endpoints, found.transitions


def _none() -> np.ndarray:
    return np.zeros((0, 2), np.int64)
