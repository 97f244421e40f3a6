"""`ahead`: an iterator's work done in a thread of its own, a few items before they are asked for.

It pays where the work releases the interpreter's lock, as reading and the kernels do.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import suppress
from queue import Empty, Queue
from threading import Event, Thread
from typing import TypeVar

Item = TypeVar("Item")

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
