"""Pins `ahead`: order, failures, and an end that leaves no thread behind."""

from __future__ import annotations

import importlib
import threading
import weakref
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Event

import pytest

from tcptrace.ahead import Behind, Beside, ahead, import_beside, meanwhile


def counting(upto: int, made: list[int]) -> Iterator[int]:
    for number in range(upto):
        made.append(number)
        yield number


def test_items_come_in_order() -> None:
    """All of them, each once."""
    assert list(range(100)) == list(ahead(counting(100, [])))


def test_few_items_wait() -> None:
    """A slow taker holds the work up: what waits is bounded."""
    made: list[int] = []
    taking = ahead(counting(100, made), depth=2)
    assert 0 == next(taking)
    taking.close()
    assert len(made) <= 6


def test_failure_is_raised_in_its_place() -> None:
    """What came before it is still given."""

    def failing() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    taken = []
    with pytest.raises(ValueError, match="broken"):
        taken += ahead(failing())  # type: ignore[misc]
    taking = ahead(failing())
    assert 1 == next(taking)


def test_closing_leaves_no_thread() -> None:
    """Also where the work would never end."""
    taking = ahead(counting(10**9, []))
    assert 0 == next(taking)
    taking.close()
    assert "ahead" not in {thread.name for thread in threading.enumerate()}


def test_closing_does_not_wait_for_a_pipe() -> None:
    """Ctrl-C must not hang where the work waits for what never comes."""
    comes = threading.Event()

    def waiting() -> Iterator[int]:
        yield 1
        comes.wait()
        yield 2

    taking = ahead(waiting())
    assert 1 == next(taking)
    taking.close()
    comes.set()
    for thread in threading.enumerate():
        if thread.name == "ahead":
            thread.join(10)
            assert not thread.is_alive()


def test_work_behind_is_done_in_order() -> None:
    """One piece after the other; waiting ends when all are done."""
    done: list[int] = []
    behind = Behind()
    for number in range(50):
        behind.do(partial(done.append, number))
    behind.wait()
    assert list(range(50)) == done


def test_failure_behind_is_raised_where_it_is_waited_for() -> None:
    """Once; what comes after is done."""
    done: list[int] = []
    behind = Behind()
    behind.do(partial(int, "no number"))
    with pytest.raises(ValueError):
        behind.wait()
    behind.wait()
    behind.do(partial(done.append, 1))
    behind.wait()
    assert [1] == done


def test_nothing_behind_outlives_its_owner() -> None:
    """Neither the thread nor what a piece of work held."""
    before = set(threading.enumerate())
    behind, held = Behind(), Event()
    behind.do(held.set)
    behind.wait()
    seen = weakref.ref(held)
    threads = set(threading.enumerate()) - before
    del behind, held
    for thread in threads:
        thread.join(5)
    assert seen() is None
    assert threads and not any(thread.is_alive() for thread in threads)


def test_pieces_beside_each_other_are_given_in_their_order() -> None:
    """Whichever is done first, by either of the two lanes."""
    first = Event()

    def piece(number: int, lane: int) -> tuple[int, int]:
        if number == 0:
            assert first.wait(10)  # until another one has been done beside it
        first.set()
        return number, lane

    given = Beside().do([partial(piece, number) for number in range(20)])
    assert list(range(20)) == [number for number, _ in given]
    assert {0, 1} == {lane for _, lane in given}


def test_pieces_of_one_lane_never_overlap() -> None:
    """What a lane has for itself, a piece has for itself."""
    inside: list[int] = []

    def piece(lane: int) -> bool:
        inside.append(lane)
        alone = inside.count(lane) == 1
        inside.remove(lane)
        return alone

    assert all(Beside().do([piece] * 200))


@pytest.mark.parametrize("failing", [0, 1, 9])
def test_failure_of_a_piece_is_raised(failing: int) -> None:
    """In whichever lane it was, and the next pieces can be done."""
    beside = Beside()

    def piece(number: int, _lane: int) -> int:
        return 1 // (number != failing)

    with pytest.raises(ZeroDivisionError):
        beside.do([partial(piece, number) for number in range(10)])
    assert [1] == beside.do([lambda lane: lane + 1])


def test_no_piece_gives_nothing() -> None:
    """And begins no thread."""
    before = threading.active_count()
    assert [] == Beside().do([])
    assert before == threading.active_count()


def test_made_meanwhile_all_comes_in_order() -> None:
    """Of no items nothing, of one that one, of many each once."""
    for count in (0, 1, 7):
        assert [10 * n for n in range(count)] == list(meanwhile(range(count), lambda n: 10 * n))


def test_made_meanwhile_while_the_next_item_is_made() -> None:
    """The work on an item does not wait for the item after it, nor that one for the work."""
    begun, released = Event(), Event()

    def items() -> Iterator[int]:
        yield 1
        assert begun.wait(9)  # the work on 1 has begun, and cannot end before the next item is made
        released.set()
        yield 2

    def work(item: int) -> int:
        begun.set()
        assert released.wait(9)
        return item

    assert [1, 2] == list(meanwhile(items(), work))


def test_made_meanwhile_what_fails_is_raised() -> None:
    """Once what came before has been given."""
    given = []
    with pytest.raises(ZeroDivisionError):
        for made in meanwhile([2, 1, 0, 1], lambda n: 2 // n):
            given.append(made)
    assert [1, 2] == given


def test_imported_beside_a_module_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who imports it, too, has all of it; one that is not there is an error there alone."""
    (tmp_path / "slowly_made.py").write_text("import time\ntime.sleep(0.2)\nmade = True\n")
    monkeypatch.syspath_prepend(tmp_path)
    import_beside("slowly_made")
    assert importlib.import_module("slowly_made").made
    import_beside("never_made")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("never_made")
