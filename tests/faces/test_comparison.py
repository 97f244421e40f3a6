"""What a comparison means for each kind of column."""

from __future__ import annotations

import pytest

from tcptrace.faces.expression import matching
from tests.faces.made import ANOMALIES, CONNECTIONS, SEGMENTS, TIMELINE, table


def count(name: str, rows: tuple[dict[str, object], ...], text: str) -> int:
    """How many rows of a made table hold the expression."""
    return len(matching(table(name, *rows).reset_index(), text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("orig_state == FIN_WAIT_2", 1),
        ("orig_state == fin-wait-2", 1),
        ("orig_state == finwait2", 1),
        ("orig_state in (time-wait, 'CLOSED')", 2),
        ("state == CLOSE_WAIT", 1),
        ("state == CLOSED", 2),
        ("state != CLOSED", 1),
        ("orig_state == resp_state", 1),
        ("orig_state >= ESTABLISHED", 2),
    ],
)
def test_states_by_any_of_their_names(text: str, expected: int) -> None:
    """`ss`'s spellings and the kernel's are states; `state` alone means either side."""
    assert expected == count("connections", CONNECTIONS, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("orig_ip == 10.0.0.9", 2),
        ("orig_ip == 10.0.0.0/8", 2),
        ("orig_ip in (10.0.0.0/8, 192.168.1.7)", 3),
        ("resp_ip == 2001:DB8:0::5", 1),
        ("resp_ip == 2001:db8::/32", 1),
        ("ip == 192.168.0.0/16", 1),
        ("ip != 10.0.0.5", 1),
        ("resp_ip == ::/0", 1),
        ("orig_ip contains 168", 1),
    ],
)
def test_addresses_and_networks(text: str, expected: int) -> None:
    """Any spelling of an address, and networks; IPv4 networks hold no IPv6 address."""
    assert expected == count("connections", CONNECTIONS, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("duration > 10s", 2),
        ("duration >= 9m40s", 1),
        ("duration == 1.5ms", 1),
        ("duration < 0.002", 1),
        ("ts_start > 2025-11-25T03:42:29.123456789Z", 1),
        ("ts_start == '2025-11-25 03:42:29.123456789'", 2),
        ("is_final == false", 1),
        ("is_final != true", 1),
        ("orig_bytes > resp_bytes", 0),
        ("orig_bytes < resp_bytes", 1),
        ("port == 443", 1),
        ("resp_port > 0x50", 2),
        ("orig_bytes < 99999999999999999999", 3),
        ("closer == originator", 2),
        ("closer in (responder, both)", 1),
        ("anomalies contains FIN-WAIT", 1),
        ("anomalies == fin-wait-2-stalled", 1),
    ],
)
def test_times_counts_flags_and_words(text: str, expected: int) -> None:
    """Nanoseconds decide; a bare column name on the right is that column."""
    assert expected == count("connections", CONNECTIONS, text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("severity >= notice", 2),
        ("severity < warning", 2),
        ("conn == 0", 1),
        ("conn != 0", 1),
        ("conn == null", 1),
        ("conn != null", 2),
        ("host == null", 1),
        ("host == '10.0.0.5:8080'", 1),
        ("packets contains 9", 1),
        ("packets contains 7", 0),
        ("examples contains 1 or code == half-close-in-use", 2),
    ],
)
def test_missing_cells_and_lists(text: str, expected: int) -> None:
    """What is missing satisfies only `null`; a list is asked for a whole member."""
    assert expected == count("anomalies", ANOMALIES, text)


def test_missing_times_satisfy_nothing() -> None:
    """The last interval of an endpoint has no end and no duration."""
    assert len(TIMELINE) - 2 == count("timeline", TIMELINE, "duration >= 0s")
    assert 2 == count("timeline", TIMELINE, "end == null")
    assert 0 == count("timeline", TIMELINE, "packet == 0")


def test_letters_of_flags() -> None:
    """`flags contains F` finds FIN with any other bit."""
    assert 1 == count("segments", SEGMENTS, "flags contains F")
    assert 2 == count("segments", SEGMENTS, "flags contains s")


def test_words_of_no_row() -> None:
    """A table without rows answers like any other."""
    assert 0 == count("connections", (), "state == fin-wait-2 and ip == 10.0.0.0/8")
    assert 0 == count("anomalies", (), "packets contains 4 or host == x")
