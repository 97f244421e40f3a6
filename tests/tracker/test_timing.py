"""Pins `measure`: numbers from the ISS, repeats, probes, doubt, and turnarounds."""

from __future__ import annotations

import pytest
from dated import MILLISECOND, Kernel, timed
from exchange import OPEN, Between


@pytest.mark.parametrize("isns", [(1000, 5000), (0xFFFFFFFF, 0xFFFFFF00)])
def test_numbers_are_counted_from_the_iss(kernel: Kernel, isns: tuple[int, int]) -> None:
    """The SYN is octet 0, whatever the ISN; without the ACK bit nothing is acknowledged."""
    text = OPEN + "1 C PA 1+300 a1\n1.1 S PA 1+7 a301\n1.2 C FA 301 a8"
    rows = timed(kernel, text, Between(isns=isns)).rows
    assert [0, 0, 1, 1, 1, 301] == rows.begin.tolist()
    assert [1, 1, 1, 301, 8, 302] == rows.end.tolist()
    assert [-1, 1, 1, 1, 301, 8] == rows.acked.tolist()


def test_sides_know_their_fin_and_how_far_they_came(kernel: Kernel) -> None:
    """The lowest FIN counts; UNA is what the peer acknowledged."""
    text = OPEN + "1 C FA 1+9 a1\n1.1 S A 1 a11\n1.2 C FA 1+9 a1"
    sides = timed(kernel, text).sides
    assert [10, -1] == sides.fin.tolist()
    assert [11, 1] == sides.nxt.tolist()
    assert [11, 1] == sides.una.tolist()
    assert [1, 0] == sides.active.tolist()


def test_side_that_never_spoke(kernel: Kernel) -> None:
    """It is known by what is acknowledged of it."""
    sides = timed(kernel, "0 C S 0\n0.1 C A 1 a1\n0.2 C A 1 a501").sides
    assert [1, 0] == sides.spoke.tolist()
    assert [1000, -1] == sides.iss.tolist()
    assert [0, 501] == sides.una.tolist()


def test_repeats_and_probes(kernel: Kernel) -> None:
    """A keep-alive or zero-window probe, one below SND.NXT, repeats nothing."""
    text = OPEN + "1 C PA 1+9 a1\n1.3 C PA 1+9 a1\n2 C A 9 a1\n3 C A 9+1 a1\n4 C A 10 a1"
    rows = timed(kernel, text).rows
    assert [0, 0, 0, 0, 1, 0, 0, 0] == rows.repeat.tolist()
    assert [0, 0, 0, 0, 0, 1, 1, 0] == rows.probe.tolist()


def test_doubtful_segments(kernel: Kernel) -> None:
    """No timestamps where the connection has them: forged. A bad checksum: not delivered."""
    text = """
    0.00 C S 0 ts=1,0
    0.02 S SA 0 a1 ts=9,1
    0.04 C A 1 a1 ts=2,9
    0.10 C PA 1+9 a1
    0.20 C PA 1+9 a1 ts=3,9 bad
    """
    rows, sides = timed(kernel, text)
    assert [0, 0, 0, 1, 2] == rows.doubt.tolist()
    assert 10 == sides.nxt[0]


def test_turnaround_is_the_fastest_answer(kernel: Kernel) -> None:
    """From the tap to each end and back; -1 where nothing was answered."""
    text = OPEN + "1 C PA 1+5 a1\n1.012 S A 1 a6"
    assert [20 * MILLISECOND, 12 * MILLISECOND] == timed(kernel, text).sides.turnaround.tolist()
    assert [-1, -1] == timed(kernel, "0 C S 0\n1 C S 0").sides.turnaround.tolist()


def test_answer_to_a_repeat_measures_nothing_without_timestamps(kernel: Kernel) -> None:
    """Which copy was answered is unknown (Karn's rule)."""
    sides = timed(kernel, "0 C S 0\n1 C S 0\n1.001 S SA 0 a1").sides
    assert -1 == sides.turnaround[1]


def test_connection_without_rows(kernel: Kernel) -> None:
    """Nothing to date."""
    rows, sides = timed(kernel, "")
    assert 0 == len(rows)
    assert [0, 0] == sides.spoke.tolist()
