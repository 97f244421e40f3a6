"""`Interrupt`: Ctrl-C as a wish to hear what is known so far, instead of an exception."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator, Iterator
from types import FrameType
from typing import Any, TypeVar

Item = TypeVar("Item")

INTERRUPTED = 130  # the exit status: 128 + SIGINT, as a shell sees it

_END = object()


class Interrupt:
    """While it is entered, the first Ctrl-C ends `until` after the item at hand; a second raises.

    asked : whether there was one
    """

    def __init__(self) -> None:
        self.asked = False
        self._waits = False
        self._before: Any = None

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():  # none else may set handlers
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *failure: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            self._before = None

    def until(self, items: Iterator[Item]) -> Generator[Item]:
        """The items until there is a Ctrl-C; one that comes while they are waited for ends that."""
        while not self.asked:
            item = self._next(items)
            if item is _END:
                return
            yield item

    def _next(self, items: Iterator[Any]) -> Any:
        try:
            self._waits = True
            return _END if self.asked else next(items, _END)
        except KeyboardInterrupt:
            self.asked = True
            return _END
        finally:
            self._waits = False

    def _ask(self, signal_number: int, frame: FrameType | None) -> None:
        again, self.asked = self.asked, True
        if again or self._waits:
            raise KeyboardInterrupt
