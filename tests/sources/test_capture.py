"""`open_capture` on everything a user may name, and the facts it gives."""

from __future__ import annotations

import csv
import io
import os
import random
import re
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from tcptrace.errors import CaptureError
from tcptrace.sources.capture import open_capture
from tests.sources.crafted import (
    SECOND,
    SOME,
    T0,
    Told,
    as_told,
    block,
    enhanced,
    expected,
    interface,
    pcap,
    pcapng,
    read,
    section,
    snoop,
    written,
)

LATER = [Told(told.time + 100 * SECOND, told.octets) for told in SOME]


def test_a_path_an_object_and_a_list_of_one(tmp_path: Path) -> None:
    """All the same packets; a capture of a path can be read again, its facts anew."""
    path = written(tmp_path, pcap(SOME))
    for source in (path, Path(path), [path], io.BytesIO(pcap(SOME)), open(path, "rb")):  # noqa: SIM115
        assert expected(SOME) == as_told(read(source)[0])
    _, capture = read(path)
    assert 4 == sum(len(batch) for batch in capture)
    assert 4 == capture.files[0].packets


def test_several_files_are_one_capture_in_time_order(tmp_path: Path) -> None:
    """Whatever their order and format; numbers begin anew, `file` says which."""
    late, early = written(tmp_path, pcapng(LATER), "a"), written(tmp_path, snoop(SOME), "b")
    packets, capture = read([late, early])
    assert expected(SOME + LATER) == as_told(packets)
    assert [1, 1, 1, 1, 0, 0, 0, 0] == packets.file.tolist()
    assert [1, 2, 3, 4] * 2 == packets.number.tolist()
    assert [late, early] == [facts.path for facts in capture.files]
    assert [4, 4] == [facts.packets for facts in capture.files]
    assert ["pcapng", "snoop"] == [facts.format for facts in capture.files]


def test_overlapping_files_are_merged(tmp_path: Path) -> None:
    """Packet by packet, as two taps saw them."""
    even = [Told(T0 + at * 2000, bytes([at])) for at in range(100)]
    odd = [Told(T0 + at * 2000 + 1000, bytes([at])) for at in range(100)]
    packets, _ = read([written(tmp_path, pcap(odd), "a"), written(tmp_path, pcap(even), "b")])
    assert sorted(expected(even + odd)) == as_told(packets)


def test_directory_holds_captures_and_other_things(tmp_path: Path) -> None:
    """What is no capture is left out and named; a directory without captures is an error."""
    written(tmp_path, pcap(SOME), "b.pcap")
    written(tmp_path, pcap(LATER), "a.pcap")
    notes = written(tmp_path, b"notes", "notes.txt")
    packets, capture = read(str(tmp_path))
    assert expected(SOME + LATER) == as_told(packets)
    assert [notes] == capture.skipped_files
    (tmp_path / "other").mkdir()
    written(tmp_path / "other", b"notes")
    with pytest.raises(CaptureError, match="expected at least one capture"):
        open_capture(tmp_path / "other")


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """Each is a CaptureError at once, with the path; a bad file among good ones too."""
    good = written(tmp_path, pcap(SOME), "good")
    bad = {
        "missing": str(tmp_path / "missing"),
        "empty": written(tmp_path, b"", "empty"),
        "text": written(tmp_path, b"some text, not a capture", "text"),
        "garbage": written(tmp_path, os.urandom(50), "garbage"),
        "no pattern": f"{tmp_path}/*.none",
    }
    for path in bad.values():
        with pytest.raises(CaptureError) as raised:
            open_capture([good, path])
        assert path in str(raised.value)


def test_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's words; root may read everything, so the refusal is played."""
    path = written(tmp_path, pcap(SOME))

    def refuse(path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(io, "FileIO", refuse)
    with pytest.raises(CaptureError, match=r"file\.pcap: Permission denied"):
        open_capture(path)


def test_bytes_read_are_told(tmp_path: Path) -> None:
    """They add up to the size on disk, packed as it is; a pipe has no size."""
    told: list[int] = []
    path = written(tmp_path, pcap(SOME))
    capture = open_capture(path, on_bytes=told.append)
    list(capture)
    size = os.path.getsize(path)
    assert (size, size, size) == (sum(told), capture.bytes_read, capture.bytes_total)
    assert open_capture(io.BytesIO(pcap(SOME))).bytes_total is None


def test_standard_input_answers_before_its_end() -> None:
    """A batch as soon as its bytes are there, though the writer has not closed its end."""
    code = (
        "from tcptrace.sources.capture import open_capture\n"
        "for batch in open_capture('-'):\n"
        "    print(batch.number.tolist(), flush=True)\n"
    )
    for crafted in (pcap, pcapng, snoop):
        first, whole = crafted(SOME[:2]), crafted(SOME)
        with subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        ) as child:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(first + whole[len(first) : len(first) + 5])
            assert b"[1, 2]\n" == child.stdout.readline()
            child.stdin.write(whole[len(first) + 5 :])
            assert b"[3, 4]\n" == child.stdout.readline()
            child.stdin.close()
            assert b"" == child.stdout.read()
        assert 0 == child.returncode


def test_a_named_pipe_is_read_once(tmp_path: Path) -> None:
    """Opening the capture does not touch it; reading it does."""
    fifo = str(tmp_path / "fifo")
    os.mkfifo(fifo)
    capture = open_capture(fifo)
    with subprocess.Popen([sys.executable, "-c", _write_to(fifo, pcap(SOME))]):
        assert 4 == sum(len(batch) for batch in capture)


def _write_to(path: str, octets: bytes) -> str:
    return f"open({path!r}, 'wb').write(bytes.fromhex({octets.hex()!r}))"


def hostile() -> dict[str, bytes]:
    """Name → a small file whose length fields ask for gigabytes."""
    huge = struct.pack("<I", 0xFFFFFFF0)
    good = pcap(SOME)
    return {
        "pcap record": good + good[24:32] + huge + huge + bytes(50),
        "pcap snap length": pcap(SOME, snap=0xFFFFFFFF) + good[24:32] + huge + huge,
        "pcapng packet": pcapng(SOME) + struct.pack("<II", 6, 0xFFFFFFF0) + bytes(100),
        "pcapng unknown": pcapng(SOME) + struct.pack("<II", 77, 0xFFFFFFF0) + bytes(100),
        "pcapng interface": pcapng(SOME) + struct.pack("<II", 1, 0xFFFFFFF0) + bytes(100),
        "pcapng snap": section()
        + interface(snap=0xFFFFFFFF)
        + enhanced(SOME[0])
        + block(6, struct.pack("<5I", 0, 0, 0, 0xFFFFFFF0, 0xFFFFFFF0)),
        "snoop record": snoop(SOME) + b"\xff" * 24,
        "snoop padding": snoop(SOME) + struct.pack(">6I", 1, 1, 0xFFFFFFF0, 0, 0, 0) + b"x",
        "usb longest": pcap(SOME, network=249) + good[24:32] + struct.pack("<II", 1 << 27, 1 << 27),
    }


@pytest.mark.parametrize("name", hostile())
def test_no_length_field_makes_it_allocate(tmp_path: Path, name: str) -> None:
    """Memory stays that of the window and a batch; the packets before are kept, the end told."""
    path = written(tmp_path, hostile()[name])
    tracemalloc.start()
    packets, capture = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20
    assert expected(SOME)[: len(packets)] == as_told(packets)
    assert len(packets) in (1, 4)
    assert capture.files[0].truncated_at is not None


def test_a_long_packet_grows_the_window_by_what_came(tmp_path: Path) -> None:
    """A packet longer than a chunk is read whole, where its link type has such packets."""
    long = Told(T0, random.Random(1).randbytes(9 << 20))
    packets, _ = read(written(tmp_path, pcap([*SOME, long, *SOME], network=249)))
    assert expected([*SOME, long, *SOME]) == as_told(packets)


def test_many_rotated_files(tmp_path: Path) -> None:
    """More files than may be open at once, one after the other."""
    for at in range(300):
        told = [Told(T0 + at * SECOND + n * 1000, bytes([n])) for n in range(3)]
        written(tmp_path, pcap(told), f"{999 - at}.pcap")
    packets, _ = read(f"{tmp_path}/*.pcap")
    assert 900 == len(packets)
    assert sorted(packets.time.tolist()) == packets.time.tolist()


# Files of the corpus that end early or are refused, as tshark 4.0 ends or refuses them too.
CUT = {
    "pcapplusplus_clusterfuzz-5643903448645632": 361,
    "pcapplusplus_crash-invalid-asn-record-len": 299,
    "ndpi_fuzz-2021-10-13.pcap": 237,
}
REFUSED = {
    "libpcap_pcap-invalid-version-1.pcap": "expected pcap version 2, not 1.4",
    "pcapplusplus_crash-pcapng-epb-unbounded-length": "a block length of 65568 or more, not 32",
}
CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpus"


def corpus() -> list[Any]:
    """The rows of the manifest; one that is skipped where the corpus is not there."""
    manifest = CORPUS / "manifest.csv"
    if not manifest.is_file():
        missing = pytest.mark.skip(reason=f"no shared captures at {CORPUS}")
        return [pytest.param({}, marks=missing, id="corpus")]
    return [pytest.param(row, id=row["file"]) for row in csv.DictReader(manifest.open())]


@pytest.mark.parametrize("row", corpus())
def test_corpus_packets_are_those_of_the_manifest(row: dict[str, str]) -> None:
    """Captures by other hands: as many packets as its manifest says, cut where tshark says so."""
    name = row["file"]
    if name in REFUSED:
        with pytest.raises(CaptureError, match=re.escape(REFUSED[name])):
            read(str(CORPUS / name))
        return
    packets, capture = read(str(CORPUS / name))
    assert int(row["packets"]) == len(packets)
    assert CUT.get(name) == capture.files[0].truncated_at
    assert "" == capture.files[0].damage
