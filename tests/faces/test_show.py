"""`tcptrace show`: one connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from click.testing import Result

from tcptrace.errors import UsageError
from tcptrace.faces.selection import flattened
from tcptrace.faces.show import head_lines, parts, split_number, states, told_lines
from tcptrace.tcp.states import Role
from tests.faces.made import CONNECTIONS, START, TIMELINE, MadeTrace, table
from tests.faces.test_finding import request

Run = Callable[..., Result]


def test_one_connection_in_full(run: Run) -> None:
    """Who, how it ended, ladder, legend, both sides' states, findings, story."""
    result = run("show", "office.pcapng", "0")
    assert 0 == result.exit_code
    assert result.stdout.startswith("connection 0  10.0.0.9:51234 → 10.0.0.5:8080\n")
    order = [
        "closed      fin by originator; the row ends by capture_end",
        "SYN seq=0 ──",
        "? presumed:",
        "states of the originator",
        "states of the responder",
        "[warning] 10.0.0.9 closed first",
        "story",
        "Packet 9: it closes.",
    ]
    places = [result.stdout.find(words) for words in order]
    assert -1 not in places and sorted(places) == places


@pytest.mark.parametrize(
    ("files", "number"),
    [(("a.pcap", "7"), 7), (("7", "8"), 8), (("7",), None), (("a", "b"), None), ((), None)],
)
def test_the_last_argument_is_the_number(files: tuple[str, ...], number: int | None) -> None:
    """A lone word is a file, whatever it looks like."""
    kept, found = split_number(request(files=files))
    assert number == found and len(files) - (number is not None) == len(kept.files)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("7",), "no connection 7: there are 3, 0 to 2"),
        ((), "3 fit (0, 1, 2)"),
        (("--port", "9"), "none fits"),
        (("1", "--host", "192.168.1.7"), "connection 1 does not fit"),
    ],
)
def test_which_connection_must_be_clear(run: Run, args: tuple[str, ...], words: str) -> None:
    """The message says what there is."""
    result = run("show", "office.pcapng", *args)
    assert isinstance(result.exception, UsageError) and words in str(result.exception)


@pytest.mark.parametrize(
    "args", [("--port", "51234"), ("-Y", "state == fin-wait-2"), ("--conn", "0")]
)
def test_options_may_pick_it(run: Run, args: tuple[str, ...]) -> None:
    """If one connection fits, it is the one."""
    assert "connection 0  " in run("show", "office.pcapng", *args).stdout


def test_every_segment_with_v(run: Run) -> None:
    """The line that stands for many goes."""
    assert "5 segments" in run("show", "office.pcapng", "0").stdout
    assert "5 segments" not in run("show", "office.pcapng", "0", "-v").stdout


def test_a_stream_has_no_segments_to_read_again(made: MadeTrace) -> None:
    """The moves are shown nevertheless, and why the packets are not."""

    held = made.connection(0)
    held.scene = replace(
        held.scene, segments=held.segments.head(0), gone="a stream cannot be read twice"
    )
    made.connection = lambda number: held  # type: ignore[method-assign]
    told = [str(part) for part in parts(made, 0, request(), 80)]  # type: ignore[arg-type]
    assert any("a stream cannot be read twice" in part for part in told)
    assert any("SYN_SENT" in part for part in told)


@pytest.mark.parametrize("args", [("-T", "svg"), ("-T", "svg", "-v")])
def test_the_ladder_alone_as_svg(run: Run, args: tuple[str, ...]) -> None:
    """-v draws every segment."""
    document = run("show", "office.pcapng", "0", *args).stdout
    assert document.startswith("<svg ") and document.endswith("</svg>\n")
    assert ("-v" in args) <= (">4  0.002000" in document)


def test_a_ladder_in_a_file(run: Run, tmp_path: Path) -> None:
    """The suffix says the form; anything but .svg is text."""
    for name, begin in (("ladder.svg", "<svg "), ("told.txt", "connection 0  ")):
        assert "" == run("show", "office.pcapng", "0", "-o", str(tmp_path / name)).stdout
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(begin)


def test_ascii_only(run: Run) -> None:
    """Lines and arrows too; nothing else is lost."""
    told = run("show", "office.pcapng", "0", "--ascii").stdout
    assert told.isascii()
    assert "FIN_WAIT_1 FIN,ACK seq=301 ack=4345 [1] --" in told and "> CLOSE_WAIT" in told


def test_control_characters_of_a_story(made: MadeTrace, run: Run) -> None:
    """Text of a capture cannot drive a terminal."""
    held = made.connection(0)
    made.connection = lambda number: SimpleNamespace(  # type: ignore[method-assign]
        **{**vars(held), "story": lambda: ["red \x1b[31m", "next"]}
    )
    assert "red \\x1b[31m\nnext" in run("show", "office.pcapng", "0").stdout


def test_what_is_known_of_it() -> None:
    """Retransmissions, gaps and reuse are told where there are any."""
    row = {**CONNECTIONS[1], "incarnation": 2, "resp_retransmits": 3, "closer": "none"}
    told = dict(head_lines(flattened(table("connections", row)).to_dict("records")[0]))
    assert (
        "→ 0 B in 0 packets; ← 0 B in 0 packets, 3 retransmitted; 1,448 B not captured"
        == told["data"]
    )
    assert "by none; the row ends by reset" == told["closed"]
    assert "known by syn; incarnation 2 of its addresses and ports" == told["originator"]


def test_states_of_one_side() -> None:
    """Only the role's rows, in their order."""
    rows = states(table("timeline", *TIMELINE), Role.RESPONDER, pd.Timestamp(START, tz="UTC"))
    assert ["LISTEN", "SYN_RCVD", "ESTABLISHED", "CLOSE_WAIT"] == list(rows["state"])
    assert ["0.000000", "0.000500", "0.001500", "0.003500"] == list(rows["at"])
    assert [True, False, False, False] == list(rows["within"].isna())


def test_a_story_hangs_under_its_first_words() -> None:
    """Time and role stay readable in a narrow column."""
    told = ["   -0.005229  responder   LISTEN by passive OPEN, which must have been before"]
    held = SimpleNamespace(story=lambda: told)
    lines = next(told_lines(held, 50)).split("\n")  # type: ignore[arg-type]
    assert "   -0.005229  responder   LISTEN by passive OPEN," == lines[0]
    assert " " * 26 + "which must have been" == lines[1]
