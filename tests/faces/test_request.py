"""What the shared options ask for."""

from __future__ import annotations

import io
from typing import Any

import pytest

from tcptrace.errors import UsageError
from tcptrace.faces.request import Request

OPTIONS: dict[str, Any] = {
    "files": ("b.pcap",), "read": ("a.pcap",), "filter": None, "count": None, "profile": "linux",
    "settings": (), "max_connections": None, "conn": (), "host": (), "port": (), "where": None,
    "quiet": False, "verbose": 0,
}  # fmt: skip


def request(**changes: Any) -> Request:
    return Request.from_options(OPTIONS | changes)


def test_r_and_positional_are_one_list() -> None:
    """`-r a b` reads both."""
    assert ("a.pcap", "b.pcap") == request().files


def test_selection_options_add_up() -> None:
    """Repeated options and comma lists."""
    selection = request(conn=("1,3-4", "9"), host=("10.0.0.1",), port=("80",), where="x").selection
    assert (range(1, 2), range(3, 5), range(9, 10)) == selection.conns
    assert (("10.0.0.1",), (range(80, 81),), "x") == (
        selection.hosts,
        selection.ports,
        selection.expression,
    )


def test_settings_change_the_profile() -> None:
    """The kernel's own names, with and without its prefix."""
    timers = request(settings=("tcp_fin_timeout=30", "net.ipv4.tcp_syn_retries=2")).timers()
    assert 2 == timers.syn_retries
    assert timers != request().timers()


@pytest.mark.parametrize("setting", ["tcp_fin_timeout", "=3", "tcp_fin_timeout=soon", "tcp_nope=1"])
def test_settings_that_do_not_exist(setting: str) -> None:
    """A name Linux does not know, a value that is no number, no value at all."""
    with pytest.raises(UsageError):
        request(settings=(setting,)).timers()


def test_unknown_profile() -> None:
    """The message comes from the profiles themselves."""
    with pytest.raises(UsageError, match="plan9"):
        request(profile="plan9").timers()


def test_no_file_at_all() -> None:
    """Only options were given."""
    with pytest.raises(UsageError, match="no capture given"):
        request(files=(), read=()).trace()


def test_standard_input_is_read_once() -> None:
    """`- -` would find the second one empty."""
    with pytest.raises(UsageError, match="only once"):
        request(files=("-",), read=("-",)).trace()


def test_a_terminal_is_no_capture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for a person to type a capture helps nobody."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("sys.stdin", Terminal())
    with pytest.raises(UsageError, match="terminal"):
        request(files=("-",), read=()).trace()
