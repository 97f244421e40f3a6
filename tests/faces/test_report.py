"""`tcptrace FILE`: the report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tcptrace.errors import UsageError
from tcptrace.faces.report import check_words, closes, connection_lines, ranked_connections
from tcptrace.faces.selection import flattened
from tcptrace.tables.capture_facts import CaptureFacts
from tests.faces.made import ANOMALIES, CONNECTIONS, MadeTrace, table

Run = Callable[..., Result]

REPORT = """\
capture      office.pcapng
packets      120 packets, 110 TCP segments
time         2025-11-25 03:42:29.123456 to 03:52:29.123456 UTC (10 m 00 s)
link         Ethernet
tap          beside the originators
missing      1,448 B acknowledged but not captured
skipped      10 not TCP
connections  3

who closed  fin  rst    last states  originators  responders
originator    2         CLOSED                 1           2
responder          1    FIN_WAIT_2             1
                        CLOSE_WAIT                         1
                        TIME_WAIT              1

findings  1 warning, 1 notice, 1 info

[warning] 10.0.0.9 closed first and has waited 9 m 40 s for 10.0.0.5:8080 to
close.
     why Its FIN was acknowledged in packet 10; the peer never sent its own FIN.
     not No gap of the capture touches the close [see limits].
    next Look for a missing close() on 10.0.0.5.
   proof fin-wait-2-stalled; packets 9 and 10 (frame.number in {9, 10});
         connection 0

[notice, reduced confidence] 1,448 B were acknowledged unseen.
   proof capture-loss; packet 20 (frame.number in {20}); connection 1

Normal: half-close-in-use (1).
all of them: tcptrace anomalies office.pcapng

connections to look at
   0  10.0.0.9:51234 → 10.0.0.5:8080  9 m 40 s  fin by originator
      FIN_WAIT_2 / CLOSE_WAIT  fin-wait-2-stalled
   1  10.0.0.9:51235 → [2001:db8::5]:443  1.50 ms  rst by responder
      CLOSED / CLOSED
and 1 more: tcptrace connections office.pcapng
one of them in full: tcptrace show office.pcapng 0
"""


def test_the_whole_report(run: Run) -> None:
    """At 80 columns off a terminal the text is stable."""
    result = run("office.pcapng")
    assert REPORT == result.stdout and "" == result.stderr


def test_findings_alone(run: Run) -> None:
    """`-q` leaves what is wrong."""
    text = run("office.pcapng", "-q").stdout
    assert text.lstrip().startswith("findings") and "connections to look at" not in text


def test_a_narrowed_report(run: Run) -> None:
    """Findings about other connections go with them."""
    text = run("office.pcapng", "--host", "192.168.1.7").stdout
    assert "1 picked of 3" in text
    assert "No anomaly" in text and "fin-wait-2-stalled" not in text
    assert "half-close-in-use" in text


def test_an_expression_over_connections(run: Run) -> None:
    """`-Y` picks connections here."""
    text = run("office.pcapng", "-Y", "closer == responder").stdout
    assert "1 picked of 3" in text and "capture-loss" in text and "FIN_WAIT_2" not in text


def test_a_capture_without_packets(made: MadeTrace, run: Run) -> None:
    """A valid capture with nothing in it is an answer, not an error."""
    made.connections, made.anomalies = table("connections"), table("anomalies")
    made.capture = CaptureFacts(files=made.capture.files)
    result = run("empty.pcap")
    assert 0 == result.exit_code
    assert "packets      none: the capture holds no packet\nconnections  0\n" in result.stdout
    assert "anomal" not in result.stdout


def test_worst_connections_first() -> None:
    """Severity, then what is unfinished; what is merely normal does not count."""
    connections = flattened(table("connections", *CONNECTIONS))
    anomalies = table("anomalies", *ANOMALIES)
    assert [0, 1] == list(ranked_connections(connections, anomalies)["conn"])
    critical = {**ANOMALIES[1], "severity": "critical", "conn": None, "examples": [2, 1]}
    ranked = ranked_connections(connections, table("anomalies", *ANOMALIES, critical))
    assert [1, 2, 0] == list(ranked["conn"])


def test_nothing_remarkable_lists_all() -> None:
    """Then the connections come in their order."""
    finished = [{**row, "is_final": True} for row in CONNECTIONS]
    connections = flattened(table("connections", *finished))
    assert [0, 1, 2] == list(ranked_connections(connections, table("anomalies"))["conn"])
    open_one = [{**row, "is_final": row["conn"] != 2} for row in CONNECTIONS]
    connections = flattened(table("connections", *open_one))
    assert [2] == list(ranked_connections(connections, table("anomalies"))["conn"])


@pytest.mark.parametrize(
    ("closer", "kind", "words"),
    [
        ("both", "fin", "fin by both"),
        ("none", "none", "not closed"),
        ("none", "timeout", "ended by timeout"),
    ],
)
def test_how_a_connection_closed(closer: str, kind: str, words: str) -> None:
    """In words, who and how."""
    frame = flattened(
        table("connections", {**CONNECTIONS[0], "closer": closer, "close_kind": kind})
    )
    assert words in connection_lines(frame.to_dict("records")[0]).plain


def test_who_closed_counts_every_connection() -> None:
    """The table adds up to the number of connections."""
    grid = closes(flattened(table("connections", *CONNECTIONS)))
    cells = [int(cell) for column in grid.columns[1:] for cell in column.cells if cell]
    assert len(CONNECTIONS) == sum(cells)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (("conections",), "did you mean connections?"),
        (("whatever",), "no command is called so; commands: connections, timeline"),
        (("office.pcap", "timeline"), "a command comes first: tcptrace timeline ..."),
    ],
)
def test_words_that_look_like_commands(files: tuple[str, ...], words: str) -> None:
    """A slip in a command's name is not told as a missing capture alone."""
    with pytest.raises(UsageError) as caught:
        check_words(files)
    assert words in str(caught.value)


def test_files_are_left_to_the_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that exists is read, and one with a suffix gets the reader's own message."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "whatever").write_bytes(b"")
    check_words(("whatever", "missing.pcap", "-", "./connections"))


def test_an_endpoint_of_which_nothing_is_known(made: MadeTrace, run: Run) -> None:
    """It counts as unknown, and the counts add up."""
    made.connections = table(
        "connections", *CONNECTIONS, {**CONNECTIONS[0], "conn": 3, "resp_state": None}
    )
    text = run("office.pcapng").stdout
    assert "FIN_WAIT_2 / unknown" in text and "nan" not in text.lower()
    assert ["unknown", "1"] in [line.split() for line in text.splitlines()]


def test_a_wide_terminal_has_a_line_for_each_connection(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More columns, and still no line longer than the terminal."""
    monkeypatch.setenv("COLUMNS", "160")
    lines = run("office.pcapng").stdout.splitlines()
    head = next(line for line in lines if line.startswith("conn  originator"))
    assert "anomalies" in head and max(map(len, lines)) <= 160
