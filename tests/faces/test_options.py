"""Every reading command has the options of INTERFACE, one spelling each."""

from __future__ import annotations

import click
import pytest

from tcptrace.faces.cli import COMMANDS, REPORT, cli
from tcptrace.faces.options import READING_NAMES

READERS = [REPORT, *(name for name in COMMANDS if name != "fsm")]
COMMON = {
    "-r", "-f", "-Y", "-c", "--conn", "--host", "--port", "--profile", "--set", "-q", "-v", "-n",
}  # fmt: skip
SELECTING = {"-r", "-Y", "--conn", "--host", "--port"}  # live tells all it takes in; -f picks that
TABLES = [name for name in COMMANDS if name not in ("show", "live", "swimlane", "fsm")]


def spellings(name: str) -> set[str]:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    return {opt for param in command.params for opt in param.opts if opt.startswith("-")}


@pytest.mark.parametrize("name", READERS)
def test_common_options(name: str) -> None:
    """The letters of tcpdump and tshark mean the same in every command."""
    assert (COMMON - SELECTING if name == "live" else COMMON) <= spellings(name)


@pytest.mark.parametrize("name", TABLES)
def test_table_options(name: str) -> None:
    """A table takes a form, a file and columns."""
    assert {"-T", "-o", "-e"} <= spellings(name)


def test_every_reading_option_reaches_the_request() -> None:
    """The names that are gathered are those that click hands over."""
    command = cli.get_command(click.Context(cli), REPORT)
    assert command is not None
    assert {"unused", *READING_NAMES} == {param.name for param in command.params}
