"""Pins `ahead`: order, failures, and an end that leaves no thread behind."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from functools import partial
from threading import Event

import pytest

from tcptrace.ahead import Behind, ahead


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
