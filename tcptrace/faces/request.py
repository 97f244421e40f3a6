"""`Request`: which packets of which files, read how, and which connections of them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tcptrace.errors import UsageError
from tcptrace.faces.selection import Selection, parse_host, parse_numbers, parse_ports
from tcptrace.interrupt import Interrupt

if TYPE_CHECKING:
    from tcptrace.pipeline import Reading
    from tcptrace.streaming import Stream
    from tcptrace.tcp.profile import Profile
    from tcptrace.trace import Trace

STDIN = "-"


@dataclass(frozen=True)
class Request:
    """What the options that all reading commands share ask for."""

    files: tuple[str, ...]
    filter: str | None
    count: int | None
    profile: str
    settings: tuple[str, ...]
    selection: Selection
    quiet: bool
    verbose: int
    most: int | None = None
    interrupt: Interrupt = field(default_factory=Interrupt)
    dask: str | None = None

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Request:
        """The request that parsed options make; UsageError for a value that does not fit."""
        return cls(
            files=(*options["read"], *options["files"]),
            filter=options["filter"],
            count=options["count"],
            profile=options["profile"],
            settings=options["settings"],
            selection=_selection(options),
            quiet=options["quiet"],
            verbose=options["verbose"],
            most=options["max_connections"],
        )

    def trace(self) -> Trace:
        """Read the files, up to a Ctrl-C; CaptureError or UsageError if they cannot be read so."""
        if self.dask is not None:
            return self._on_cluster(self.dask)
        return self.reading().trace(self.progress, self.interrupt)

    def _on_cluster(self, address: str) -> Trace:
        self._check_files()
        if self.count is not None or self.most is not None:
            raise UsageError("-c and --max-connections count in order, which a cluster has not")
        timers = self.timers()
        from tcptrace.faces.dask import read_on

        return read_on(address, list(self.files), self.filter, timers)

    def reading(self) -> Reading:
        """How the files are read; UsageError where they cannot be read as asked."""
        self._check_files()
        timers = self.timers()
        from tcptrace.pipeline import Reading

        return Reading.of(list(self.files), self.filter, timers, self.count, self.most)

    def stream(self) -> Stream:
        """The same, piece by piece."""
        reading = self.reading()
        from tcptrace.streaming import Stream

        return Stream(reading, self.progress, self.interrupt)

    @property
    def progress(self) -> bool | None:
        """Whether a bar is shown; None where that depends on the terminal."""
        return False if self.quiet else None

    def timers(self) -> Profile:
        """The profile with the `--set` changes; UsageError for a name that does not exist."""
        return timers(self.profile, self.settings)

    def _check_files(self) -> None:
        if not self.files:
            raise UsageError("no capture given: name a FILE, or - for standard input")
        if self.files.count(STDIN) > 1:
            raise UsageError("standard input can be read only once")
        if STDIN in self.files and sys.stdin is not None and sys.stdin.isatty():
            raise UsageError("standard input is a terminal: pipe a capture into it")


def timers(system: str, settings: tuple[str, ...]) -> Profile:
    """A system's timers with NAME=VALUE changes; UsageError for a name that does not exist."""
    from tcptrace.tcp.timers import profile

    changes: dict[str, int | str] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--set {setting!r}: give NAME=VALUE, as in tcp_fin_timeout=30")
        changes[name.strip()] = value.strip()
    return profile(system, **changes)


def _selection(options: Mapping[str, Any]) -> Selection:
    return Selection(
        conns=tuple(part for text in options["conn"] for part in parse_numbers(text, "--conn")),
        hosts=tuple(parse_host(text) for text in options["host"]),
        ports=tuple(part for text in options["port"] for part in parse_ports(text)),
        expression=options["where"],
    )
