"""A live capture as lines, for people and for programs."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from faces.looks import update_of

from tcptrace.faces.live_lines import json_lines, text_lines, write_lines
from tcptrace.look import Update
from tcptrace.tables.schema import ANOMALIES, TIMELINE


@pytest.fixture(scope="module")
def stalled() -> Update:
    return update_of("fin_wait_2_stalled")


def test_a_line_a_move_in_the_order_of_time(stalled: Update) -> None:
    """When, which connection, who with whom, from where to where, by what, on what it rests."""
    lines = list(text_lines(stalled))
    assert (
        "04:12:33.457928  conn 0  192.0.2.1:40110 with 192.0.2.2:8080  SYN_SENT  snd SYN, observed"
    ) == lines[0]
    waits = [line for line in lines if "FIN_WAIT_2" in line]
    assert waits[0].endswith("  FIN_WAIT_1 → FIN_WAIT_2  rcv ACK of FIN, presumed")
    moves = [line for line in lines if "[" not in line]
    assert sorted(moves) == moves and len(stalled.moves) == len(moves)


def test_a_line_a_finding(stalled: Update) -> None:
    """When it was seen, how bad, the headline, its name and where."""
    findings = [line for line in text_lines(stalled) if "[" in line]
    assert 2 == len(findings)
    assert findings[0].startswith("04:13:51.128192  [warning]  192.0.2.2:8080 has not closed for")
    assert findings[0].endswith("(close-wait-leak; conn 0)")


def test_what_became_of_a_move(stalled: Update) -> None:
    """A basis that changed says now; what is taken back says so."""
    for change, words in (("revised", ", now observed"), ("taken_back", ", taken back: was obs")):
        told = stalled.moves.assign(change=change).iloc[:1]
        changed = replace(stalled)
        changed.__dict__["moves"] = told
        assert words in next(text_lines(changed))


def test_an_object_a_line(stalled: Update) -> None:
    """The columns of the tables, and three or four keys more."""
    rows = [json.loads(line) for line in json_lines(stalled)]
    moves = [row for row in rows if row["line"] == "move"]
    findings = [row for row in rows if row["line"] == "finding"]
    assert (len(stalled.moves), 2) == (len(moves), len(findings))
    more = ["line", "seen"]
    assert [*more, *(column.name for column in TIMELINE.columns), "left", "change"] == list(
        moves[0]
    )
    assert [*more, *(column.name for column in ANOMALIES.columns)] == list(findings[0])
    assert {"2026-11-25T04:13:51.128192175Z"} == {row["seen"] for row in rows}
    assert (None, "new", 1) == (moves[0]["left"], moves[0]["change"], moves[0]["packet"])
    assert ("LISTEN", [0]) == (moves[2]["left"], findings[0]["examples"])


@pytest.mark.parametrize("form", ["text", "jsonl"])
def test_control_characters_of_a_capture_drive_no_terminal(stalled: Update, form: str) -> None:
    """Nothing that came from packets reaches the terminal as it is."""
    evil = stalled.anomalies.assign(headline='\x1b[31m[bold]\n"')
    stream = io.StringIO()
    write_lines(replace(stalled, anomalies=evil), form, stream)
    text = stream.getvalue()
    assert "\x1b" not in text and len(stalled.moves) + 2 == text.count("\n")


def test_nobody_reads_any_more(stalled: Update) -> None:
    """A broken pipe is for the command line to deal with."""

    class Broken(io.StringIO):
        def flush(self) -> None:
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        write_lines(stalled, "text", Broken())
