"""Pins what callers may catch, and what the messages say."""

from __future__ import annotations

import pytest

from tcptrace.errors import CaptureError, TcptraceError, UsageError


def test_capture_error_names_source_offset_and_expectation() -> None:
    """The message is the file, the byte offset and what was expected there."""
    error = CaptureError("a.pcap", "a record header", offset=24)
    assert "a.pcap at byte 24: a record header" == str(error)
    assert ("a.pcap", 24, "a record header") == (error.source, error.offset, error.expected)


def test_capture_error_without_an_offset() -> None:
    """A source that cannot be opened at all has no byte to name."""
    assert "a.pcap: no such file" == str(CaptureError("a.pcap", "no such file"))


def test_offset_zero_is_said() -> None:
    """Byte 0 is an offset like any other."""
    assert "at byte 0" in str(CaptureError("a.pcap", "a magic number", offset=0))


def test_usage_error_is_a_value_error() -> None:
    """Callers who know nothing of tcptrace catch a wrong argument as Python's own."""
    with pytest.raises(ValueError):
        raise UsageError("no such state: SYNSENT")


@pytest.mark.parametrize("kind", [CaptureError, UsageError])
def test_one_root_catches_everything(kind: type[TcptraceError]) -> None:
    """`TcptraceError` is the root of the tree."""
    assert issubclass(kind, TcptraceError)
