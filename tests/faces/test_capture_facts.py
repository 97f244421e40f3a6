"""The head of the report."""

from __future__ import annotations

from tcptrace.faces.capture_facts import cuts, lines, warnings
from tcptrace.faces.selection import flattened
from tcptrace.sources.facts import FileFacts
from tcptrace.tables.capture_facts import CaptureFacts, Loss
from tests.faces.made import CONNECTIONS, SECOND, START, table


def told(
    capture: CaptureFacts, *rows: dict[str, object], total: int | None = None
) -> dict[str, str]:
    picked = flattened(table("connections", *rows))
    return dict(lines(capture, len(rows) if total is None else total, picked))


def test_an_empty_capture() -> None:
    """What there is nothing to say of is left empty."""
    text = told(CaptureFacts(files=[FileFacts("a.pcap")]))
    assert "none: the capture holds no packet" == text["packets"]
    filled = {label for label, words in text.items() if words}
    assert {"capture", "packets", "connections"} == filled


def test_many_files_are_counted() -> None:
    """A ring of captures does not fill the screen."""
    text = told(CaptureFacts(files=[FileFacts(f"{n}.pcap") for n in range(200)]))
    assert "0.pcap, 1.pcap, 2.pcap and 197 more files" == text["capture"]


def test_one_packet_is_one_packet() -> None:
    """Counts agree with their nouns, and a moment is no span."""
    text = told(CaptureFacts(packets=1, segments=1, start=START, end=START))
    assert "1 packet, 1 TCP segment" == text["packets"]
    assert "2025-11-25 03:42:29.123456 to 03:42:29.123456 UTC (0 ns)" == text["time"]


def test_a_span_of_days_names_both() -> None:
    """The second date appears where it differs."""
    text = told(CaptureFacts(packets=2, start=START, end=START + 86_400 * SECOND))
    assert text["time"].endswith("to 2025-11-26 03:42:29.123456 UTC (24 h 00 m)")


def test_evicted_and_broken_off() -> None:
    """Under a table and in the report's head: what was let go, and that it is not all."""
    capture = CaptureFacts(packets=7, evicted=3, interrupted=True)
    assert cuts(capture) == ["interrupted after 7 packets: what follows is not told"]
    assert any("3 connections evicted" in warning for warning in warnings(capture, 0))
    text = told(capture)
    assert "3 connections evicted" in text["missing"] and "interrupted" in text["cut short"]


def test_overlaps_and_gaps_between_files() -> None:
    """In the report's head, and with -v under a table, by names and times."""
    hour = 3600 * SECOND
    spans = (("a", 0, hour), ("b", hour // 2, hour), ("d", 2 * hour, 3 * hour))
    files = [FileFacts(path, first_time=START + f, last_time=START + t) for path, f, t in spans]
    capture = CaptureFacts(files=files, start=START, end=START + 3 * hour, packets=1)
    overlap = "a and b overlap from 2025-11-25 04:12:29.123456 to 2025-11-25 04:42:29.123456 UTC"
    gap = "nothing between a and d from 2025-11-25 04:42:29.123456 to"
    for text in (told(capture)["files"], " ".join(warnings(capture, 1))):
        assert overlap in text and gap in text
    assert [] == warnings(capture, 0)


def test_what_is_missing() -> None:
    """The tracker's count, the capturing program's, and files that were no captures."""
    loss = Loss(octets=1448, endpoints=1, dropped=12)
    text = told(CaptureFacts(packets=9, loss=loss, skipped_files=["notes.txt"]))
    assert (
        "1,448 B acknowledged but not captured; 12 packets dropped while capturing; "
        "1 file left out: no capture" == text["missing"]
    )


def test_where_each_file_is_cut() -> None:
    """The byte and the reason of every file that is not whole."""
    files = [
        FileFacts("a.pcap", truncated_at=1024, damage="the last packet is cut"),
        FileFacts("b.pcap"),
    ]
    assert ["a.pcap at byte 1,024: the last packet is cut"] == cuts(CaptureFacts(files=files))


def test_skipped_packets_by_reason() -> None:
    """The most frequent first, the rest in one number."""
    skipped = {f"reason {n}": n for n in range(1, 9)}
    text = told(CaptureFacts(packets=99, skipped=skipped))["skipped"]
    assert text.startswith("8 reason 8, 7 reason 7") and text.endswith("6 for other reasons")


def test_where_the_tap_stands() -> None:
    """One place, or how many connections say which; nothing where none knows."""
    assert "beside the originators" == told(CaptureFacts(), *CONNECTIONS)["tap"]
    mixed = [{**CONNECTIONS[0], "vantage": where} for where in ("middle", "responder", "middle")]
    expected = "beside the responders (1), on the path between the endpoints (2)"
    assert expected == told(CaptureFacts(), *mixed)["tap"]
    assert "" == told(CaptureFacts(), {**CONNECTIONS[0], "vantage": "unknown"})["tap"]


def test_picked_connections_of_all() -> None:
    """A narrowed report says of how many."""
    assert "1 picked of 3" == told(CaptureFacts(), CONNECTIONS[0], total=3)["connections"]
