"""Compressed captures, told by their first bytes and unpacked as they are read.

Whatever a compressed file claims about its size, only as many bytes are unpacked at a time
as the reader has room for: a bomb costs time, never memory. Read `COMPRESSIONS` first.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from tcptrace.errors import CaptureError
from tcptrace.sources.facts import FileFacts
from tcptrace.sources.window import Window

# A larger dictionary than `xz -9` or `zstd --ultra` needs is refused, for it is memory at once.
_LZMA_MEMORY = 1 << 27
_ZSTD_WINDOW = 27

_INPUT = 1 << 16
_LONGEST_MAGIC = 6


class Unpacker(Protocol):
    """The interface that the standard library's decompressors share."""

    @property
    def eof(self) -> bool:
        """Whether the end of the compressed stream (or member, or frame) was reached."""

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes out before something goes in."""

    @property
    def unused_data(self) -> bytes | None:
        """What was given beyond the end; lz4 says None for nothing."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """At most `max_length` bytes of what `data` and the data before it unpack to."""


@dataclass(frozen=True)
class Compression:
    """A way of compressing: its name, the bytes it begins with, what a file is unpacked with.

    `unpackers` is called once a file, what it gives once a member: a file may have a member every
    nine octets, and must not make each of them look for a package.
    """

    name: str
    magics: tuple[bytes, ...]
    unpackers: Callable[[], Callable[[], Unpacker]]


class _Gzip:
    """`zlib` with the interface of the others; checks the sum that a gzip member ends with.

    All octets before a damaged one come out, however many went in with it: a wrong sum at the end
    costs nothing.
    """

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(zlib.MAX_WBITS | 16)
        self._failure: zlib.error | None = None
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if self._failure is not None:
            raise self._failure
        packed, before = self._inner.unconsumed_tail + data, self._inner.copy()
        try:
            unpacked = self._inner.decompress(packed, max_length)
        except zlib.error as error:
            self._failure = error
            self.needs_input = False
            return _before_damage(before, packed, max_length)
        self.needs_input = len(unpacked) < max_length and not self._inner.unconsumed_tail
        return unpacked


def _before_damage(before: Any, packed: bytes, max_length: int) -> bytes:
    """What the octets of `packed` before the first wrong one unpack to, found by bisection."""
    unpacked, least, most = b"", 0, len(packed) - 1
    while least <= most:
        middle = (least + most) // 2
        try:
            unpacked = before.copy().decompress(packed[:middle], max_length)
        except zlib.error:
            most = middle - 1
        else:
            least = middle + 1
    return unpacked


class _Zstandard:
    """The `zstandard` package with the interface of the others.

    Its decompressor has no `max_length`, so it is fed in pieces so small that what they unpack
    to is bounded: a block of 4 bytes may stand for 128 KiB (RFC 8878 section 3.1.1.2).
    """

    _PIECE = 512

    def __init__(self, decompressor: Any) -> None:
        self._inner = decompressor.decompressobj()
        self._given = memoryview(b"")
        self._held = memoryview(b"")

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof) and not self._held

    @property
    def needs_input(self) -> bool:
        return not self._held and not self._given

    @property
    def unused_data(self) -> bytes:
        return bytes(self._inner.unused_data) + bytes(self._given)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        self._given = memoryview(bytes(self._given) + data) if self._given else memoryview(data)
        unpacked, room = [], max_length
        while room and (self._held or (self._given and not self._inner.eof)):
            if not self._held:
                piece, self._given = self._given[: self._PIECE], self._given[self._PIECE :]
                self._held = memoryview(self._inner.decompress(piece))
            unpacked.append(self._held[:room])
            self._held = self._held[room:]
            room -= len(unpacked[-1])
        return b"".join(unpacked)


def _xz() -> Unpacker:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, _LZMA_MEMORY)


def _zstd() -> Callable[[], Unpacker]:
    try:
        from compression import zstd  # Python 3.14
    except ImportError:
        import zstandard

        # One for all frames of a file, never for two files: its unpackers share their state.
        shared = zstandard.ZstdDecompressor(max_window_size=1 << _ZSTD_WINDOW)
        return lambda: _Zstandard(shared)
    limit = {zstd.DecompressionParameter.window_log_max: _ZSTD_WINDOW}
    return lambda: zstd.ZstdDecompressor(options=limit)


def _lz4() -> Callable[[], Unpacker]:
    import lz4.frame

    unpacker: Callable[[], Unpacker] = lz4.frame.LZ4FrameDecompressor
    return unpacker


_SKIPPABLE_FRAMES = tuple(bytes([0x50 | low, 0x2A, 0x4D, 0x18]) for low in range(16))

COMPRESSIONS = (
    Compression("gzip", (b"\x1f\x8b",), lambda: _Gzip),
    Compression("bzip2", (b"BZh",), lambda: bz2.BZ2Decompressor),
    Compression("xz", (b"\xfd7zXZ\0",), lambda: _xz),
    Compression("zstd", (b"\x28\xb5\x2f\xfd", *_SKIPPABLE_FRAMES), _zstd),
    Compression("lz4", (b"\x04\x22\x4d\x18",), _lz4),
)


def compression_of(head: bytes) -> Compression | None:
    """The compression whose files begin with the first bytes `head`; None for any other file."""
    for compression in COMPRESSIONS:
        if head.startswith(compression.magics):
            return compression
    return None


class Unpacked:
    """The bytes that a compressed stream stands for; members and frames are read on end to end.

    A stream that is damaged or ends too early gives what could be unpacked; `facts.damage`
    then says so. CaptureError if the package that unpacks it is not installed.
    """

    def __init__(self, packed: Window, compression: Compression, facts: FileFacts) -> None:
        self._packed = packed
        self._compression = compression
        self._facts = facts
        self._begin = self._found()
        self._unpacker = self._begin()
        self._pending = b""
        self._over = False
        self._starved = False  # the last call gave nothing, whatever the library says it needs
        facts.compression = compression.name

    def readinto(self, view: memoryview, /) -> int:
        """Fill the front of `view` with at least one unpacked byte; 0 at the end."""
        while not self._over:
            if self._unpacker.eof:
                self._next_member()
                continue
            unpacked = self._unpack(len(view))
            if unpacked:
                view[: len(unpacked)] = unpacked
                return len(unpacked)
        return 0

    def close(self) -> None:
        """Close the compressed stream."""
        self._packed.close()

    def _found(self) -> Callable[[], Unpacker]:
        try:
            return self._compression.unpackers()
        except ImportError as error:
            expected = (
                f"a {self._compression.name} file needs the package {error.name}: "
                "pip install tcptrace[compressed]"
            )
            raise CaptureError(self._facts.path, expected) from None

    def _unpack(self, room: int) -> bytes:
        waiting = self._unpacker.needs_input or self._starved
        given = self._input() if waiting else b""
        try:
            unpacked = self._unpacker.decompress(given, room)
        # The five libraries raise six kinds of exception on bad data, some of no common class.
        except Exception as error:
            self._stop(f"is damaged ({error})")
            return b""
        if waiting and not given and not unpacked and not self._unpacker.eof:
            self._stop("is cut short")
        self._starved = not unpacked
        return unpacked

    def _input(self) -> bytes:
        if self._pending:
            given, self._pending = self._pending, b""
            return given
        if not len(self._packed):
            self._packed.fill()
        given = self._packed.peek(_INPUT)
        self._packed.skip(len(given))
        return given

    def _next_member(self) -> None:
        """Go on after the end of a member: with the next, or to the end of the file."""
        rest = self._unpacker.unused_data or b""
        self._starved = False
        while len(rest := rest.lstrip(b"\0")) < _LONGEST_MAGIC:  # padding: xz, gzip on tape
            more = self._input()
            if not more:
                break
            rest += more
        if not rest:
            self._over = True
        elif rest.startswith(self._compression.magics):
            self._unpacker = self._begin()
            self._pending = rest
        else:
            self._stop("is followed by other bytes")

    def _stop(self, what: str) -> None:
        self._over = True
        self._facts.damage = (
            f"the {self._compression.name} stream {what} before byte {self._packed.position}"
        )
