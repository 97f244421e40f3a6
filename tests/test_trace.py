"""Pins what a user holds: lazy tables, connections, exports, short and safe representations."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcptrace.errors import UsageError
from tcptrace.sources.facts import FileFacts
from tcptrace.tables.capture_facts import CaptureFacts
from tcptrace.tables.schema import CONNECTIONS, SEGMENTS, TIMELINE
from tcptrace.tcp.timers import profile
from tcptrace.trace import Trace
from tests.anomalies.scenes import closed_by_originator, refused
from tests.tables.written import Written, at, orderly_close


def trace(written: Written, reread=None, path: str = "office.pcap") -> Trace:  # type: ignore[no-untyped-def]
    """A trace of these connections, in a capture of 300 s."""
    facts = CaptureFacts(files=[FileFacts(path)], start=at(0), end=at(300))
    return Trace(written.reconstruction(), facts, profile("linux"), reread)


def three() -> Written:
    """An orderly close, a refusal, a stall."""
    written = Written()
    orderly_close(written)
    refused(written)
    closed_by_originator(written)
    return written


def test_tables_are_made_once() -> None:
    """Asking again gives the same object."""
    found = trace(three())
    assert found.connections is found.connections
    assert found.timeline is found.timeline
    assert found.anomalies is found.anomalies
    assert [] == CONNECTIONS.faults(found.connections) + TIMELINE.faults(found.timeline)


def test_connections_name_their_anomalies() -> None:
    """Most severe first, the empty string for none."""
    assert ["", "connection-refused", "close-wait-leak,fin-wait-2-stalled"] == trace(
        three()
    ).connections["anomalies"].tolist()


def test_connection_has_its_own_rows() -> None:
    """Timeline and anomalies of one connection, numbered from 0."""
    connection = trace(three()).connection(2)
    assert {2} == set(connection.timeline["conn"])
    assert ["close-wait-leak", "fin-wait-2-stalled"] == connection.anomalies["code"].tolist()
    assert 0 == connection.timeline.index[0]
    assert "10.0.0.9" == connection.row["orig_ip"]
    assert "10.0.0.9:40000 is the originator" in connection.story()[0]


@pytest.mark.parametrize("number", [-1, 3])
def test_connection_that_is_not_there(number: int) -> None:
    """The message says which numbers there are."""
    with pytest.raises(UsageError, match="0 to 2"):
        trace(three()).connection(number)


def test_no_connections() -> None:
    """A trace of nothing has tables, a length and a truth."""
    found = trace(Written())
    assert [] == CONNECTIONS.faults(found.connections) + TIMELINE.faults(found.timeline)
    assert (0, True, []) == (len(found), bool(found), list(found))
    with pytest.raises(UsageError, match="there are none"):
        found.connection(0)
    assert "0 connections" in repr(found) and "0 connections" in found._repr_html_()


def test_segments_of_a_stream_cannot_be_had() -> None:
    """The message says what to do instead."""
    with pytest.raises(UsageError, match="stream cannot be read twice"):
        _ = trace(three()).segments


def test_segments_are_read_when_they_are_asked_for() -> None:
    """Not before, and once."""
    asked = []

    def reread():  # type: ignore[no-untyped-def]
        asked.append(1)
        return iter(())

    found = trace(three(), reread)
    assert [] == asked
    assert [] == SEGMENTS.faults(found.segments)
    assert 0 == len(found.connection(0).segments)
    assert [1] == asked


def test_exports_are_three_tables(tmp_path: Path) -> None:
    """One file a table."""
    for export, suffix in (("to_csv", "csv"), ("to_json", "json")):
        paths = getattr(trace(three()), export)(tmp_path)
        names = [f"{name}.{suffix}" for name in ("connections", "timeline", "anomalies")]
        assert names == [path.name for path in paths]
        assert all(path.stat().st_size for path in paths)


def test_parquet_is_an_export(tmp_path: Path) -> None:
    """Where pyarrow is installed."""
    pytest.importorskip("pyarrow")
    assert all(path.stat().st_size for path in trace(three()).to_parquet(tmp_path))


def test_representations_are_short_and_escaped() -> None:
    """A file's name may hold markup; a notebook must not run it."""
    found = trace(three(), path="<script>x</script>.pcap")
    assert repr(found).count("\n") == 0 and "3 connections" in repr(found)
    for html in (found._repr_html_(), found.connection(0)._repr_html_()):
        assert "<script" not in html
    assert "&lt;script&gt;" in found._repr_html_()
    assert "10.0.0.9:40000 to 10.0.0.5:8080, TIME_WAIT and CLOSED" not in repr(found)
    assert "<Connection 0: 10.0.0.9:40000 to 10.0.0.5:8080" in repr(found.connection(0))


def test_sockets_and_population_are_of_the_whole_trace() -> None:
    """At a moment, and over time; of some connections if asked."""
    found = trace(three())
    listed = found.sockets(at(2))
    assert {"TIME_WAIT", "LISTEN", "FIN_WAIT_2", "CLOSE_WAIT"} == set(listed["state"])
    counted = found.population("1s")
    assert [301, len(listed)] == [len(counted), counted.iloc[2].sum()]
    assert ["10.0.0.9", "others"] == list(found.population("1s", hosts=1).columns.levels[0])
    one = found.population("2s", conns=[0]).iloc[1]
    assert {"TIME_WAIT", "LISTEN"} == {state for (_, state), count in one.items() if count}


def test_source_is_the_files_without_folders() -> None:
    """What pictures are titled with."""
    assert "office.pcap" == trace(three(), path="/home/x/office.pcap").source


def test_swimlane_is_of_the_trace_or_of_one_connection() -> None:
    """All that matter, some that are asked for, one."""
    found = trace(three())
    for picture, lanes in (
        (found.swimlane(), 6),
        (found.swimlane([1, 2]), 4),
        (found.swimlane(most=1), 2),
        (found.connection(2).swimlane(), 2),
    ):
        assert lanes == len(picture.axes[0].get_yticks())
