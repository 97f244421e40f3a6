"""Pins how much older than its first captured copy a SYN or a FIN may be."""

from __future__ import annotations

from typing import Any

import pytest
from dated import MILLISECOND, Kernel, Timed, timed
from exchange import START

CLIENT = 0
NEVER = -1
ANSWERED = "0.02 S SA 0 a1\n0.04 C A 1 a1"


def first_copies(kernel: Kernel, seen: Timed) -> Any:
    witness = kernel("tcptrace.tracker.witness").Witness(seen.rows.cells, seen.sides.cells)
    witness.look(0, len(seen.rows))
    made = kernel("tcptrace.tracker.first_copies").FirstCopies(witness)
    made.look(0)
    return made


def syn_is_older(kernel: Kernel, text: str) -> int:
    """By how many ms the client's first SYN of all may be older than the first captured."""
    return int(first_copies(kernel, timed(kernel, text)).syn_is_older(0, 0)) // MILLISECOND


def test_syn_is_the_first_where_nothing_is_missing(kernel: Kernel) -> None:
    """Numbers, octets and ACKs agree: whatever may have been lost before left no trace."""
    text = f"0.00 C S 0 id=9\n{ANSWERED} id=10\n0.10 C PA 1+5 a1 id=11\n0.12 S A 1 a6"
    assert 0 == syn_is_older(kernel, text)


@pytest.mark.parametrize(
    "text",
    [
        f"0.00 C S 0 id=9\n{ANSWERED} id=11",
        f"0.00 C S 0\n{ANSWERED}\n0.10 C A 6+5 a1",
        f"0.00 C S 0\n{ANSWERED}\n0.10 S A 1 a6",
    ],
    ids=["identification", "octets", "acknowledged"],
)
def test_syn_may_be_the_last_retry_where_something_is_missing(kernel: Kernel, text: str) -> None:
    """The path to the tap loses: so it may have lost six SYNs (Linux, tcp_syn_retries)."""
    assert 67_000 == syn_is_older(kernel, text)


def test_nothing_is_lost_on_the_way_to_a_tap_beside(kernel: Kernel) -> None:
    """A tap on the host sees what its host sends."""
    text = "0.00 C S 0 id=9\n0.02 S SA 0 a1\n0.021 C A 1 a1 id=11"
    assert 0 == syn_is_older(kernel, text)


def test_wait_for_the_next_syn_tells_its_place(kernel: Kernel) -> None:
    """Two seconds follow one (RFC 6298), or five of one second (tcp_syn_linear_timeouts)."""
    assert 5000 == syn_is_older(kernel, "0.00 C S 0\n2.00 C S 0\n2.02 S SA 0 a1\n2.04 C A 1 a1")


def test_one_second_is_the_wait_of_the_first(kernel: Kernel) -> None:
    """But where something is missing it may be one of the equal waits that Linux begins with."""
    text = "0.00 C S 0 id=9\n1.00 C S 0 id=10\n1.02 S SA 0 a1\n1.04 C A 1 a1 id="
    assert 0 == syn_is_older(kernel, text + "11")
    assert 4000 == syn_is_older(kernel, text + "12")


OPEN = """
0.00 C S 0 id=10
0.02 S SA 0 a1
0.04 C A 1 a1 id=11
"""


def fin(kernel: Kernel, text: str, octet: int) -> tuple[int, bool]:
    """(when the client last showed that its FIN had not left, whether a FIN may be missing).

    The FIN is the last row; ms after the first, -1 for never.
    """
    seen = timed(kernel, OPEN + text)
    asked = first_copies(kernel, seen)
    copy = len(seen.rows) - 1
    since = asked.fin_since(CLIENT, octet, copy)
    shown = -1 if since == NEVER else (since - START + 10 * MILLISECOND) // MILLISECOND
    return shown, bool(asked.lost_before(CLIENT, octet, copy))


def test_empty_segment_shows_that_the_fin_had_not_left(kernel: Kernel) -> None:
    """Its number is SND.NXT; what is missing behind it may have been a FIN."""
    assert (500, True) == fin(kernel, "0.50 C A 1 a1 id=12\n1.00 C FA 1 a1 id=14", 1)


def test_fin_with_the_next_number_is_the_first(kernel: Kernel) -> None:
    """Nothing is missing."""
    assert (500, False) == fin(kernel, "0.50 C A 1 a1 id=12\n1.00 C FA 1 a1 id=13", 1)


def test_octets_with_the_next_number_show_it_too(kernel: Kernel) -> None:
    """What is missing since is one packet, enough for a FIN."""
    text = "0.50 C PA 1+5 a1 id=12\n1.00 C FA 6 a1 id=14"
    assert (500, True) == fin(kernel, text, 6)


def test_repeated_octets_show_nothing(kernel: Kernel) -> None:
    """The FIN may have left before them, among what is missing."""
    text = "0.50 C PA 1+5 a1 id=12\n0.80 C PA 1+5 a1 id=14\n1.00 C FA 6 a1 id=15"
    assert (500, True) == fin(kernel, text, 6)


def test_octets_that_may_be_repeated_show_nothing(kernel: Kernel) -> None:
    """Two packets are missing before they are first seen: themselves, and the FIN."""
    text = "0.50 C A 1 a1 id=12\n0.80 C PA 1+5 a1 id=15\n1.00 C FA 6 a1 id=16"
    assert (500, True) == fin(kernel, text, 6)


def test_too_little_is_missing_to_have_held_the_rest(kernel: Kernel) -> None:
    """One packet holds no 3000 octets: the FIN left after those that came next."""
    text = "0.50 C A 1+1000 a1 id=12\n0.80 C A 2001+1000 a1 id=14\n1.00 C FA 5001 a1 id=15"
    assert (800, False) == fin(kernel, text, 5001)


def test_number_that_comes_late_is_not_missing(kernel: Kernel) -> None:
    """The path turned two segments."""
    text = "0.50 C A 1 a1 id=13\n0.51 C A 1 a1 id=12\n1.00 C FA 1 a1 id=14"
    assert (500, False) == fin(kernel, text, 1)


def test_segments_put_together_by_the_host_are_not_missing(kernel: Kernel) -> None:
    """GRO: 2896 octets were two packets."""
    text = "0.50 C A 1+2896 a1 id=12\n1.00 C FA 2897 a1 id=14"
    assert (500, False) == fin(kernel, text, 2897)


@pytest.mark.parametrize("numbers", [("", ""), (" id=900", " id=20000")])
def test_numbers_that_do_not_count_tell_nothing(kernel: Kernel, numbers: tuple[str, str]) -> None:
    """IPv6 has none, others draw lots: octets seen before are repeated, and no FIN is missing."""
    text = f"0.50 C PA 1+5 a1{numbers[0]}\n0.80 C PA 1+5 a1{numbers[1]}\n1.00 C FA 6 a1{numbers[0]}"
    assert (500, False) == fin(kernel, text, 6)
