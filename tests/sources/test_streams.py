"""Streams of bytes: files, pipes, objects, and what can go wrong with them."""

from __future__ import annotations

import gzip
import io
import os
import sys
from pathlib import Path

import pytest

from tcptrace.errors import CaptureError, UsageError
from tcptrace.sources.streams import (
    STDIN,
    CountedStream,
    ObjectStream,
    is_stream,
    name_of,
    open_part,
    open_stream,
    size_of,
)


def read_all(stream: object) -> bytes:
    """The stream to its end, in small pieces."""
    found, view = b"", memoryview(bytearray(10))
    while got := stream.readinto(view):  # type: ignore[attr-defined]
        found += bytes(view[:got])
    return found


@pytest.mark.parametrize(
    "opened", [io.BytesIO, lambda octets: io.BufferedReader(io.BytesIO(octets))]
)
def test_file_objects(opened: object) -> None:
    """Buffered or not, they give all they have, and are left open."""
    file = opened(b"some bytes, more than ten")  # type: ignore[operator]
    stream = ObjectStream(file)
    assert b"some bytes, more than ten" == read_all(stream)
    stream.close()
    assert not file.closed


class OnlyRead:
    """The least that a file object can be."""

    def __init__(self, octets: bytes) -> None:
        self._file = io.BytesIO(octets)

    def read(self, size: int) -> bytes:
        return self._file.read(size)


def test_object_with_nothing_but_read() -> None:
    """`read` is enough."""
    assert b"twelve bytes" == read_all(ObjectStream(OnlyRead(b"twelve bytes")))


def test_text_files_are_refused() -> None:
    """A capture is bytes."""
    with pytest.raises(UsageError, match="binary mode"):
        ObjectStream(io.StringIO("text"))


def test_a_pipe_gives_what_it_has() -> None:
    """Reading does not wait until the view is full, or the writer is done."""
    read_end, write_end = os.pipe()
    with open(read_end, "rb") as file, open(write_end, "wb", buffering=0) as writer:
        writer.write(b"abc")
        view = memoryview(bytearray(100))
        assert 3 == ObjectStream(file).readinto(view)


def test_a_pipe_in_non_blocking_mode_is_waited_for() -> None:
    """Nothing there yet is not the end."""
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    with open(read_end, "rb", buffering=0) as file:
        stream, view = ObjectStream(file), memoryview(bytearray(10))
        if os.fork() == 0:
            os.close(read_end)
            os.write(write_end, b"late")
            os._exit(0)
        os.close(write_end)
        assert 4 == stream.readinto(view)
        os.wait()


@pytest.mark.parametrize(
    ("name", "message"), [("missing.pcap", "No such file"), ("", "directory"), ("a\0b", "null")]
)
def test_paths_that_cannot_be_opened(tmp_path: Path, name: str, message: str) -> None:
    """The error has the path and the system's words."""
    with pytest.raises(CaptureError, match=message):
        open_stream(os.path.join(str(tmp_path), name))


class Failing:
    """A stream on a disk that is breaking, or a file object that is closed."""

    def __init__(self, error: Exception) -> None:
        self._error, self._given = error, False

    def readinto(self, view: memoryview, /) -> int:
        if self._given:
            raise self._error
        self._given = True
        return 5

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    "error", [OSError(5, "Input/output error"), ValueError("closed file"), EOFError("cut")]
)
def test_failure_while_reading(error: Exception) -> None:
    """It is told with the byte where it came; what was read before is counted."""
    counted: list[int] = []
    stream = CountedStream(Failing(error), "disk", counted.append)
    assert 5 == stream.readinto(memoryview(bytearray(10)))
    with pytest.raises(CaptureError, match="disk at byte 5: "):
        stream.readinto(memoryview(bytearray(10)))
    assert [5] == counted


def test_closed_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some programs start others without one."""
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(CaptureError, match="standard input: is closed"):
        open_stream(STDIN)


def test_names_and_sizes(tmp_path: Path) -> None:
    """A file has both; a pipe and an object have only a name; they can be read once."""
    path = tmp_path / "file"
    path.write_bytes(b"12345")
    assert (str(path), 5, False) == (name_of(str(path)), size_of(str(path)), is_stream(str(path)))
    assert ("standard input", None, True) == (name_of("-"), size_of("-"), is_stream("-"))
    fifo = str(tmp_path / "fifo")
    os.mkfifo(fifo)
    assert (None, True) == (size_of(fifo), is_stream(fifo))
    with path.open("rb") as file:
        assert (str(path), True) == (name_of(file), is_stream(file))
    assert "BytesIO" == name_of(io.BytesIO())


def test_part_of_a_file(tmp_path: Path) -> None:
    """From one offset to another, or to the end; where the end comes first, as much as there is."""
    path = tmp_path / "file"
    path.write_bytes(bytes(range(50)))
    assert bytes(range(7, 30)) == read_all(open_part(str(path), 7, 30))
    assert bytes(range(7, 50)) == read_all(open_part(str(path), 7, None))
    assert bytes(range(45, 50)) == read_all(open_part(str(path), 45, 60))
    with pytest.raises(CaptureError, match="No such file"):
        open_part(str(tmp_path / "none"), 0, 1)


def test_truncated_gzip_object_is_a_capture_error() -> None:
    """An unpacking file object of the caller's raises what it likes; we raise one thing."""
    cut = gzip.compress(os.urandom(1000))[:500]
    stream = CountedStream(ObjectStream(gzip.GzipFile(fileobj=io.BytesIO(cut))), "it", print)
    with pytest.raises(CaptureError):
        read_all(stream)
