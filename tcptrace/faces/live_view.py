"""`View`: a live capture on a terminal, kept up to date in place; `live_table` draws it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from tcptrace.faces.live_table import drawn
from tcptrace.faces.terminal import console

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tcptrace.look import Update


class View:
    """The view of one capture, by its name, on one stream."""

    def __init__(self, name: str, stream: IO[str]) -> None:
        self._name = name
        self._console = console(stream)
        self._began: int | None = None

    def print(self, update: Update) -> None:
        """Print it once, as long as it is."""
        self._console.print(self._drawn(update, None))

    @contextmanager
    def kept_up_to_date(self) -> Iterator[Callable[[Update], None]]:
        """What shows an update on the terminal's other screen; the last one stays behind."""
        from rich.live import Live

        last: list[Update] = []
        with Live(console=self._console, screen=True, auto_refresh=False) as shown:

            def show(update: Update) -> None:
                last[:] = [update]
                shown.update(self._drawn(update, self._console.size.height), refresh=True)

            yield show
        for update in last:
            self._console.print(self._drawn(update, self._console.size.height - 1))

    def _drawn(self, update: Update, height: int | None) -> RenderableType:
        self._began = update.look.now if self._began is None else self._began
        return drawn(update, self._name, update.look.now - self._began, self._console.width, height)
