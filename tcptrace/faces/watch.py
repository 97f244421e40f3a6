"""`watch`: a live capture from its opening to its summary, whatever ends it.

Ctrl-C, SIGTERM and the end of a pipe are the ends that are meant; a vanished interface is an
error after the summary; a reader of our output that goes away ends it quietly.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import FrameType
from typing import IO, TYPE_CHECKING

from tcptrace.faces.finding import tally
from tcptrace.faces.live_lines import write_lines
from tcptrace.faces.losses import losses
from tcptrace.faces.request import timers
from tcptrace.faces.terminal import note
from tcptrace.faces.wish import Wish
from tcptrace.live import Live
from tcptrace.sources import privileges
from tcptrace.sources.filter import Filter
from tcptrace.sources.interface import Interface
from tcptrace.tables.wording import counted, octets

if TYPE_CHECKING:
    from tcptrace.look import Update
    from tcptrace.sources.live_source import Counters

# Imported before the rights are laid down: who we become may not be able to read the files.
NEEDED_LATER = (
    "tcptrace.anomalies.catalogue",
    "tcptrace.faces.cells",
    "tcptrace.faces.live_view",
    "rich.live",
)

# How long a thread may keep the others waiting, s: packets come in beside what is shown.
SWITCH = 0.0005

Shown = Callable[["Update"], None]


def watch(wish: Wish) -> None:
    """Open what is asked for, lay down the rights, show it until it ends, and sum it up.

    CaptureError and UsageError as they come; BrokenPipeError where nobody reads our output.
    """
    for name in NEEDED_LATER:
        import_module(name)
    sys.setswitchinterval(SWITCH)
    profile = timers(wish.profile, wish.settings)
    source = wish.source()
    _lay_down_rights(source, wish)
    kept = None if wish.filter is None or isinstance(source, Interface) else Filter(wish.filter)
    live = Live(source, profile, kept, wish.count, wish.interval)
    last: Update | None = None
    try:
        with live, _ended_by_signals(source.stop), _shown(wish) as show:
            for last in live:
                _check_reader(sys.stdout)
                show(last)
                if wish.verbose:
                    _note_counters(wish.name, last.counters)
                if wish.once:
                    break
    finally:
        if last is not None and not wish.quiet and not isinstance(sys.exception(), BrokenPipeError):
            _sum_up(wish.name, last, live.counters)


def _lay_down_rights(source: object, wish: Wish) -> None:
    """From here on packets are parsed: be nobody who could do harm, and say who."""
    root = os.geteuid() == 0
    user = wish.user or (privileges.invoking_user() if root else None)
    if user or (not root and privileges.holders()):
        privileges.become(user)
    if wish.quiet or not isinstance(source, Interface):
        return
    who = f"as {user}" if root and user else "still as root: -Z USER would lay that down"
    note(
        f"tcptrace: listening on {wish.name}, {octets(source.buffer)} of buffer"
        f"{f', {who}' if root else ''}"
    )


@contextmanager
def _ended_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C and SIGTERM call `stop`; a second one is as deadly as ever."""

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(number, before[number])
        stop()

    endings = (signal.SIGINT, signal.SIGTERM)
    before = {int(number): signal.getsignal(number) for number in endings}
    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _shown(wish: Wish) -> Iterator[Shown]:
    """What shows an update: a table on a terminal, lines elsewhere or where they are asked for."""
    on_terminal = sys.stdout.isatty()
    if wish.form or not (on_terminal or wish.once):
        yield lambda update: write_lines(update, wish.form or "text", sys.stdout)
        return
    from tcptrace.faces.live_view import View

    view = View(wish.name, sys.stdout)
    if wish.once:
        yield view.print
        return
    with view.kept_up_to_date() as show:
        yield show


def _check_reader(stream: IO[str]) -> None:
    """BrokenPipeError if whoever read our output has gone: without moves nothing is written."""
    try:
        poll = select.poll()
        poll.register(stream.fileno(), 0)
        gone = any(events & select.POLLERR for _, events in poll.poll(0))
    except (OSError, ValueError):  # no file: a test's stream
        return
    if gone:
        raise BrokenPipeError


def _note_counters(name: str, counters: Counters) -> None:
    """What was taken in, what was lost, and how late the last packet was."""
    told = [f"{counted(counters.received, 'packet')} received"]
    told += [words for words, _ in losses(counters)]
    note(f"tcptrace: {name}: {', '.join(told)}")


def _sum_up(name: str, last: Update, counters: Counters) -> None:
    """The counters, and what was found."""
    _note_counters(name, counters)
    begun = counted(last.look.begun, "connection")
    note(f"tcptrace: {begun}; findings: {tally(last.look.known.table) or 'none'}")
