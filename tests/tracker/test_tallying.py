"""Pins `Tallying`: what is counted of the segments, kept or not."""

from __future__ import annotations

from exchange import OPEN
from keeping import Kernel, kept, stream


def test_tallies_of_what_is_not_kept(kernel: Kernel) -> None:
    """Segments and payload are counted whether or not the rows are kept."""
    tallies = kept(kernel, OPEN + stream(500)).tallies()
    assert [502, 501] == tallies.segments.tolist()
    assert [5000, 0] == tallies.payload.tolist()
    assert [0, 0] == tallies.retransmits.tolist()


def test_retransmission_against_reordering(kernel: Kernel) -> None:
    """Octets sent again are repeats; those that come just after their own ACK were overtaken."""
    again = kept(kernel, OPEN + "1 C PA 1+10 a1\n1.3 C PA 1+10 a1").tallies()
    assert ([1, 0], [0, 0]) == (again.retransmits.tolist(), again.reordered.tolist())
    overtaken = kept(kernel, OPEN + "1 S A 1 a11\n1.001 C PA 1+10 a1").tallies()
    assert ([0, 0], [1, 0]) == (overtaken.retransmits.tolist(), overtaken.reordered.tolist())
    assert [0, 0] == overtaken.unseen.tolist()


def test_octets_that_the_capture_lacks(kernel: Kernel) -> None:
    """An ACK beyond all that was captured counts what is missing."""
    assert [100, 0] == kept(kernel, OPEN + "1 S A 1 a101").tallies().unseen.tolist()
