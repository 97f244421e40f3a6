"""Fixtures of the faces: a command line run over a trace made by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from tcptrace.faces.cli import cli
from tcptrace.faces.request import Request
from tests.faces.made import MadeStream, MadeTrace


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> MadeTrace:
    """The trace that every command reads in place of a file."""
    trace = MadeTrace()
    monkeypatch.setattr(Request, "trace", lambda self: trace)
    monkeypatch.setattr(Request, "stream", lambda self: MadeStream(trace))
    monkeypatch.setenv("COLUMNS", "80")
    return trace


@pytest.fixture
def run(made: MadeTrace) -> Callable[..., Result]:
    """Run a command line over the made trace; its result has stdout, stderr and exception."""
    return lambda *args: CliRunner().invoke(cli, list(args))
