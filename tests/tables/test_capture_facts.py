"""Pins what is said about a capture as a whole."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tcptrace.sources.facts import FileFacts, InterfaceFacts
from tcptrace.sources.packets import Packets
from tcptrace.tables.capture_facts import CaptureFacts, ClockSteps, Learned
from tcptrace.tracker.transitions import Vantage
from tests.tables.written import BEGIN, ORIG, RESP, SECOND, Written, at


def packets(times: list[float], file: int = 0, first: int = 1) -> Packets:
    """Packets of these times, numbered on from `first`."""
    batch = Packets.zeros(len(times))
    batch.time[:] = [at(time) for time in times]
    batch.number[:] = np.arange(len(times)) + first
    batch.file[:] = file
    return batch


def test_step_back_is_found_within_and_between_batches() -> None:
    """The first packet that goes back is named, and the largest step."""
    clock = ClockSteps()
    clock.watch(packets([0, 1, 0.5]))
    clock.watch(packets([0.2, 3, 1], first=4))
    assert ClockSteps(3, 2 * SECOND, 3, at(0.5)) == clock


def test_clock_that_stands_still_does_not_step_back() -> None:
    """Packets of one burst may have one time."""
    clock = ClockSteps()
    clock.watch(packets([]))
    clock.watch(packets([1, 1, 2]))
    assert ClockSteps() == clock


def test_next_file_may_begin_before_the_last_one_ended() -> None:
    """Each file is held against itself, for two machines' clocks may differ."""
    clock = ClockSteps()
    clock.watch(packets([5, 6], file=0))
    clock.watch(packets([3, 4], file=1))
    assert ClockSteps() == clock
    clock.watch(packets([5.5], file=0, first=3))
    assert (1, 3) == (clock.count, clock.packet)


def test_span_and_drops_are_those_of_all_files() -> None:
    """A list of rotated files is one capture."""
    facts = CaptureFacts()
    dropped = InterfaceFacts(1, dropped=4, dropped_by_system=1)
    facts.take_files(
        [
            FileFacts("b", first_time=at(5), last_time=at(9), link_types={113}),
            FileFacts("a", first_time=at(0), last_time=at(5), interfaces=[dropped]),
            FileFacts("empty"),
        ]
    )
    assert pd.Timedelta(seconds=9) == facts.duration
    assert facts.span is not None and BEGIN == facts.span[0].value
    assert 5 == facts.loss.dropped


def test_capture_without_packets_has_no_span() -> None:
    """A header alone is a capture too."""
    facts = CaptureFacts()
    facts.take_files([FileFacts("a", link_types={1})])
    assert facts.span is None
    assert facts.loss.dropped is None
    assert pd.Timedelta(0) == facts.duration
    assert "0 packets in 1 file," in str(facts)


def test_file_that_was_cut_is_named() -> None:
    """Whoever reads a trace can ask whether all of it was there."""
    facts = CaptureFacts()
    facts.take_files([FileFacts("whole"), FileFacts("cut", truncated_at=0)])
    assert ["cut"] == [file.path for file in facts.truncated]


def test_vantage_is_that_of_most_connections() -> None:
    """Connections whose vantage is unknown have no voice."""
    written = Written()
    for vantage in (Vantage.UNKNOWN, Vantage.UNKNOWN, Vantage.RESPONDER):
        written.connection(vantage=vantage)
    written.endpoint(0, ORIG, unseen=1, missed_bytes=10)
    written.endpoint(0, RESP, missed_bytes=5)
    facts = CaptureFacts()
    facts.add_reconstruction(written.reconstruction())
    assert "responder" == facts.vantage
    assert (15, 1) == (facts.loss.octets, facts.loss.endpoints)


def test_capture_that_was_read_in_part_ends_with_its_last_packet() -> None:
    """Of ten packets asked for, the file's end says nothing."""
    facts = CaptureFacts()
    facts.take(packets([1, 4]))
    facts.take(packets([]))
    facts.take_files([FileFacts("a", first_time=at(0), last_time=at(60))], whole=False)
    assert (2, pd.Timedelta(seconds=3)) == (facts.packets, facts.duration)


def test_capture_that_was_filtered_lasts_as_long_as_the_file() -> None:
    """Silence of what a filter let through is silence until the file's end."""
    facts = CaptureFacts()
    facts.take(packets([1, 4]))
    facts.take_files([FileFacts("a", first_time=at(0), last_time=at(60))])
    assert pd.Timedelta(seconds=60) == facts.duration


def test_steps_of_pieces_are_those_of_the_whole() -> None:
    """The first step is the first piece's that has one, the largest is any piece's."""
    files = [packets([0, 1]), packets([5, 4.5], 1), packets([9, 6, 8], 2)]
    whole, pieces = ClockSteps(), [ClockSteps() for _ in files]
    for piece, file in zip(pieces, files, strict=True):
        whole.watch(file)
        piece.watch(file)
    assert whole == ClockSteps.join(pieces, [0, 0, 0])
    assert ClockSteps() == ClockSteps.join([], [])


def test_step_between_two_stretches_of_a_file_is_counted() -> None:
    """It may be the first and the largest; packets are numbered as in the file."""
    stretches = [[0, 9], [], [5, 7], [6, 5.5]]
    whole, pieces, before, numbers = ClockSteps(), [], 0, []
    for times in stretches:
        whole.watch(packets(times, first=before + 1))
        pieces.append(ClockSteps())
        pieces[-1].watch(packets(times))
        numbers.append(before)
        before += len(times)
    assert ClockSteps(3, 4 * SECOND, 3, at(5)) == whole
    assert whole == ClockSteps.join(pieces, numbers)


def test_vantage_of_trackers_together_is_that_of_most_connections() -> None:
    """Of equal many the first of the choices, as where one tracker has all."""
    facts = CaptureFacts()
    facts.add_learned(Learned((9, 0, 1, 1), 5, 2))
    facts.add_learned(Learned((9, 2, 1, 0), 5, 2))
    assert ("originator", 10, 4) == (facts.vantage, facts.loss.octets, facts.loss.endpoints)
