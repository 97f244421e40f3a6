"""Compressed captures: told by their bytes, unpacked as they come, cut, damaged, hostile."""

from __future__ import annotations

import builtins
import bz2
import gzip
import io
import lzma
import os
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import lz4.frame
import pytest
import zstandard

from tcptrace.errors import CaptureError
from tcptrace.sources.capture import open_capture
from tcptrace.sources.compressed import COMPRESSIONS, Unpacked, Unpacker
from tcptrace.sources.facts import FileFacts
from tcptrace.sources.packets import Packets
from tcptrace.sources.streams import ObjectStream
from tcptrace.sources.window import Window
from tests.sources.crafted import SOME, T0, Told, as_told, expected, pcap, pcapng, read, written

PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
    "lz4": partial(lz4.frame.compress, content_checksum=True),
}
# Octets that do not shrink, so that a cut of the packed file is a cut of the packets; the same in
# each run, for gzip stores such octets, and one flipped in a record's header stops at the record.
MANY = [Told(T0 + at * 1000, Random(at).randbytes(300)) for at in range(4000)]


@pytest.mark.parametrize("name", PACK)
def test_every_compression(tmp_path: Path, name: str) -> None:
    """The same packets, and the facts say how they were packed; the file's name says nothing."""
    packets, capture = read(written(tmp_path, PACK[name](pcap(SOME)), "plain.txt"))
    assert expected(SOME) == as_told(packets)
    assert (name, "pcap") == (capture.files[0].compression, capture.files[0].format)
    assert "" == capture.files[0].damage


@pytest.mark.parametrize("name", PACK)
def test_members_end_to_end(tmp_path: Path, name: str) -> None:
    """Files packed in parts, as by pigz, pbzip2, pzstd or cat, are read to their end."""
    whole = pcapng(MANY)
    packed = b"".join(PACK[name](whole[at : at + 70_001]) for at in range(0, len(whole), 70_001))
    packets, capture = read(written(tmp_path, packed))
    assert expected(MANY) == as_told(packets)
    assert capture.files[0].truncated_at is None


@pytest.mark.parametrize("name", PACK)
def test_cut_file_gives_what_could_be_unpacked(tmp_path: Path, name: str) -> None:
    """The packets before the cut, and the cut as a fact."""
    packed = PACK[name](pcap(MANY))
    packets, capture = read(written(tmp_path, packed[: len(packed) * 4 // 5]))
    # bzip2, xz, zstd and lz4 give whole blocks only: what is lost is less than one of theirs.
    assert expected(MANY)[: len(packets)] == as_told(packets)
    facts = capture.files[0]
    assert facts.truncated_at is not None
    assert f"the {name} stream is cut short" in facts.damage
    assert name in ("bzip2", "lz4") or len(packets) > 400


@pytest.mark.parametrize("name", PACK)
def test_cut_at_every_octet(tmp_path: Path, name: str) -> None:
    """A result with the cut as a fact, or a CaptureError: never another exception."""
    packed = PACK[name](pcap(SOME))
    for size in range(len(packed)):
        try:
            packets, capture = read(io.BytesIO(packed[:size]))
        except CaptureError:
            continue
        assert expected(SOME)[: len(packets)] == as_told(packets)
        assert capture.files[0].truncated_at is not None


@pytest.mark.parametrize("name", PACK)
def test_damaged_octet(tmp_path: Path, name: str) -> None:
    """A flipped octet is found by the format's checksum or makes it stop; it never raises more."""
    packed = bytearray(PACK[name](pcap(MANY)))
    packed[len(packed) * 4 // 5] ^= 0x55
    try:
        packets, capture = read(written(tmp_path, bytes(packed)))
    except CaptureError as error:
        assert "damaged" in str(error)
        return
    assert len(packets) <= len(MANY)
    assert f"the {name} stream is damaged" in capture.files[0].damage


@pytest.mark.parametrize("name", PACK)
def test_other_bytes_behind_the_end(tmp_path: Path, name: str) -> None:
    """They are told, and the packets kept; zeros are padding and need no word."""
    packed = PACK[name](pcap(SOME))
    packets, capture = read(written(tmp_path, packed + b"something else"))
    assert expected(SOME) == as_told(packets)
    assert "is followed by other bytes" in capture.files[0].damage
    packets, capture = read(written(tmp_path, packed + bytes(512)))
    assert expected(SOME) == as_told(packets)
    assert "" == capture.files[0].damage


@pytest.mark.parametrize("name", PACK)
def test_padding_longer_than_a_reading(tmp_path: Path, name: str) -> None:
    """Zeros do not end a file, however many are read at a time: what follows them is looked at."""
    padded = PACK[name](pcap(SOME)) + bytes(1 << 17)
    _, capture = read(written(tmp_path, padded + b"something else"))
    assert "is followed by other bytes" in capture.files[0].damage
    packets, _ = read(written(tmp_path, padded + PACK[name](pcap(SOME)[24:])))
    assert expected(SOME) * 2 == as_told(packets)


@pytest.mark.parametrize("wrong", [-1, -5, 40])
def test_gzip_gives_all_before_the_damage(tmp_path: Path, wrong: int) -> None:
    """A wrong length or sum at the end costs no packet, a wrong octet none before it."""
    octets = pcap(SOME)
    packed = bytearray(gzip.compress(octets, 0))
    packed[wrong] ^= 0xFF
    packets, capture = read(written(tmp_path, bytes(packed)))
    whole = len(SOME) if wrong < 0 else 0
    assert expected(SOME)[:whole] == as_told(packets)[:whole]
    assert "the gzip stream is damaged" in capture.files[0].damage


def test_two_files_at_a_time(tmp_path: Path) -> None:
    """Merging unpacks several files in turn, a piece of each: none spoils another's state."""
    paths = []
    for file in range(2):
        octets = pcap([Told(T0 + file, bytes([file]) * 5000)] * 300)
        paths.append(written(tmp_path, PACK["zstd"](octets), f"{file}.pcap.zst"))
    packets, capture = read(paths)
    assert ["", ""] == [facts.damage for facts in capture.files]
    assert 600 == len(packets)


@pytest.mark.parametrize("name", PACK)
def test_unpackers_are_looked_for_once_a_file(tmp_path: Path, name: str) -> None:
    """A file may be a hundred thousand empty members: each must cost next to nothing."""
    (known,) = [each for each in COMPRESSIONS if each.name == name]
    found = []

    def unpackers() -> Callable[[], Unpacker]:
        found.append(name)
        return known.unpackers()

    octets = PACK[name](b"") * 100 + PACK[name](b"told")
    window = Window(ObjectStream(io.BytesIO(octets)), 64)
    unpacked = Unpacked(window, replace(known, unpackers=unpackers), FileFacts("file"))
    whole = bytearray(4)
    assert 4 == unpacked.readinto(memoryview(whole))
    assert (b"told", [name]) == (bytes(whole), found)


def test_frames_that_zstd_skips(tmp_path: Path) -> None:
    """pzstd begins its files with one."""
    skipped = b"\x50\x2a\x4d\x18\x04\0\0\0abcd"
    packed = skipped + PACK["zstd"](pcap(SOME)) + skipped
    assert expected(SOME) == as_told(read(written(tmp_path, packed))[0])


@pytest.mark.parametrize("name", PACK)
def test_bombs_take_no_memory(tmp_path: Path, name: str) -> None:
    """64 MiB of zeros behind a header: packets without octets, read in bounded pieces."""
    path = tmp_path / "bomb"
    zeros = bytes(1 << 20)
    path.write_bytes(PACK[name](pcap([])) + 64 * PACK[name](zeros))
    tracemalloc.start()
    capture = open_capture(str(path))
    count = sum(len(batch) for batch in capture)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 4 << 20 == count
    assert peak < 40 << 20


def test_dictionaries_too_large_are_refused(tmp_path: Path) -> None:
    """A header may ask for gigabytes at once; that is no way to make us take them."""
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 29}]
    packed = lzma.compress(pcap(SOME), lzma.FORMAT_XZ, filters=filters)
    with pytest.raises(CaptureError, match=r"xz stream is damaged .*[Mm]emory"):
        read(written(tmp_path, packed))
    parameters = zstandard.ZstdCompressionParameters(window_log=30)
    writer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    packed = writer.compress(pcap(SOME)) + writer.flush()
    with pytest.raises(CaptureError, match=r"zstd stream is damaged .*memory"):
        read(written(tmp_path, packed))


def test_compressed_twice(tmp_path: Path) -> None:
    """One layer is undone; two are an error that says so."""
    with pytest.raises(CaptureError, match="compressed twice"):
        read(written(tmp_path, bz2.compress(gzip.compress(pcap(SOME)))))


@pytest.mark.parametrize(("name", "package"), [("zstd", "zstandard"), ("lz4", "lz4")])
def test_missing_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, package: str
) -> None:
    """The error says what to install."""
    real = builtins.__import__

    def without(module: str, *rest: Any) -> Any:
        if module.split(".")[0] in (package, "compression"):
            raise ImportError(f"no {module}", name=module)
        return real(module, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(CaptureError, match=rf"{package}.*: pip install tcptrace\[compressed\]"):
        read(written(tmp_path, PACK[name](pcap(SOME))))


def flushed(name: str) -> bytes:
    """A packed capture whose writer flushed what it had, and has not ended."""
    octets = pcap(MANY[:100])
    if name == "gzip":
        gzipped = zlib.compressobj(wbits=31)
        return gzipped.compress(octets) + gzipped.flush(zlib.Z_SYNC_FLUSH)
    packer = zstandard.ZstdCompressor().compressobj()
    return packer.compress(octets) + packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_a_pipe_of_packed_bytes_answers_before_its_end(name: str) -> None:
    """What can be unpacked from the bytes so far is told while the writer still has its end."""
    read_end, write_end = os.pipe()
    with open(read_end, "rb") as file, open(write_end, "wb", buffering=0) as writer:
        writer.write(flushed(name))
        batch: Packets = next(iter(open_capture(file)))
    assert expected(MANY[:100]) == as_told(batch)


@pytest.mark.parametrize("room", [1, 7, 64, 69, 70, 1000])
def test_what_comes_before_damage_is_the_same_in_any_pieces(room: int) -> None:
    """Also where the octets that are left of a repetition need no more of the file."""
    packer = zlib.compressobj(wbits=31)
    octets = b"repeat" * 40
    packed = packer.compress(octets) + packer.flush(zlib.Z_FULL_FLUSH) + b"\xff" * 20
    (known,) = [each for each in COMPRESSIONS if each.name == "gzip"]
    facts = FileFacts("file")
    unpacked = Unpacked(Window(ObjectStream(io.BytesIO(packed)), 4096), known, facts)
    pieces, view = [], memoryview(bytearray(room))
    while got := unpacked.readinto(view):
        pieces.append(bytes(view[:got]))
    assert octets == b"".join(pieces)
    assert "the gzip stream is damaged" in facts.damage
