"""Work in a thread of its own: `ahead` of those who ask for it, `Behind` or `Beside` the others,
or `meanwhile`.

It pays where the work releases the interpreter's lock, as reading and the kernels do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from queue import Empty, Queue, SimpleQueue
from threading import Event, Thread
from typing import TypeVar
from weakref import finalize

Item = TypeVar("Item")
Made = TypeVar("Made")

_END = object()
PATIENCE = 0.2  # s


def ahead(items: Iterator[Item], depth: int = 2) -> Generator[Item]:
    """The same items in the same order; at most `depth` of them wait.

    What the iterator raises is raised here, in its place. Closing the generator ends the thread
    once the item in work is done; a thread that waits for a pipe is left to wait.
    """
    waiting: Queue[object] = Queue(depth)
    closed = Event()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for item in items:
                if closed.is_set():
                    return
                waiting.put(item)
        except BaseException as failure:  # raised again where the items are taken
            failures.append(failure)
        waiting.put(_END)

    worker = Thread(target=work, name="ahead", daemon=True)
    worker.start()
    try:
        while (item := waiting.get()) is not _END:
            yield item  # type: ignore[misc]
        if failures:
            raise failures[0]
    finally:
        closed.set()
        with suppress(Empty):  # so that nothing waits for room
            while True:
                waiting.get_nowait()
        worker.join(PATIENCE)


def import_beside(module: str) -> None:
    """Import it in a thread; who imports it as well waits for that, and is told if it fails."""

    def work() -> None:
        with suppress(ImportError):
            import_module(module)

    Thread(target=work, name="importing").start()


class Behind:
    """Pieces of work done in a thread of its own, one after the other, while the caller goes on.

    The thread begins with the first piece and ends with this object.
    """

    def __init__(self) -> None:
        self._asked: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._told: SimpleQueue[BaseException | None] = SimpleQueue()
        self._started = self._busy = False

    def do(self, work: Callable[[], object]) -> None:
        """Begin a piece once the last one is done; raises what that one raised."""
        self.wait()
        if not self._started:
            queues = self._asked, self._told
            Thread(target=_obey, args=queues, name="behind", daemon=True).start()
            finalize(self, self._asked.put, None)
            self._started = True
        self._busy = True
        self._asked.put(work)

    def wait(self) -> None:
        """Until the last piece is done; raises what it raised."""
        if not self._busy:
            return
        failure = self._told.get()
        self._busy = False
        if failure is not None:
            raise failure


def meanwhile(items: Iterable[Item], work: Callable[[Item], Made]) -> Generator[Made]:
    """What `work` makes of each item, in order: made of one while the caller's items go on.

    What `work` raises is raised here.
    """
    behind, made, begun = Behind(), deque[Made](), False
    for item in items:
        behind.do(partial(_keep, made, work, item))  # which waits for the one before
        del item  # lest it be held while the next one is made
        if begun:
            yield made.popleft()
        begun = True
    behind.wait()
    yield from made


def _keep(made: deque[Made], work: Callable[[Item], Made], item: Item) -> None:
    made.append(work(item))


class Beside:
    """Pieces of work that do not depend on each other, shared between the caller and a thread."""

    LANES = 2

    def __init__(self) -> None:
        self._behind = Behind()

    def do(self, pieces: Sequence[Callable[[int], Item]]) -> list[Item]:
        """What each gives, in their order; a piece is told its lane, 0 or 1, which no other shares.

        Raises what one of them raised, once none is in work.
        """
        left, given = deque(enumerate(pieces)), dict[int, Item]()

        def work(lane: int) -> None:
            while True:
                try:
                    place, piece = left.popleft()
                except IndexError:
                    return
                given[place] = piece(lane)

        if len(pieces) > 1:
            self._behind.do(partial(work, 1))
        try:
            work(0)
        finally:
            self._behind.wait()
        return [given[place] for place in range(len(pieces))]


def _obey(
    asked: SimpleQueue[Callable[[], object] | None], told: SimpleQueue[BaseException | None]
) -> None:
    """Do what is asked for; between two pieces nothing of the last is held."""
    while (work := asked.get()) is not None:
        failure = None
        try:
            work()
        except BaseException as error:  # raised again where it is waited for
            failure = error
        del work
        told.put(failure)
        del failure
