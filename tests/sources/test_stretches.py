"""Pins stretches of a pcap file: cut where records begin, and read as in one go."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from tcptrace.errors import CaptureError
from tcptrace.sources.facts import FileFacts
from tcptrace.sources.packets import Packets
from tcptrace.sources.stretches import FileStretch, Stretch, find_borders, stretches
from tests.sources.crafted import SECOND, SOME, T0, Told, as_told, pcap, pcapng, read, written

HEADER, RECORD = 24, 16
MANY = [
    Told(T0 + 1_000_000 * number, random.Random(number).randbytes(40 + number % 700))
    for number in range(400)
]
NANOSECONDS, MODIFIED = 0xA1B23C4D, 0xA1B2CD34
KINDS = [
    {},
    {"order": ">"},
    {"magic": NANOSECONDS, "unit": 1},
    {"magic": MODIFIED, "after": b"\x02\0\0\0\0\x08\0\0"},
    {"version": (2, 2), "lengths_swapped": True},
]


def begins(packets: list[Told], header: int = RECORD) -> list[int]:
    """Where each record begins, and where the last one ends."""
    sizes = [header + len(told.octets) for told in packets]
    return [HEADER, *(HEADER + np.cumsum(sizes)).tolist()]


def read_in_stretches(path: str, cuts: list[Stretch]) -> tuple[list[Told], FileFacts]:
    parts = [FileStretch(path, cut) for cut in cuts]
    packets = [Packets.concat(list(part)) for part in parts]
    facts = FileFacts.join([part.files[0] for part in parts])
    return [told for batch in packets for told in as_told(batch)], facts


@pytest.mark.parametrize("every", [1, 300, 5_000, 100_000])
@pytest.mark.parametrize("kind", KINDS)
def test_borders_are_where_records_begin(tmp_path: Path, kind: dict, every: int) -> None:
    """Not far behind each so many bytes, in every layout; the same packets as in one go."""
    path = written(tmp_path, pcap(MANY, **kind))
    borders = find_borders(path, every)
    true = begins(MANY, RECORD + len(kind.get("after", b"")))
    assert set(borders) < set(true)
    assert sorted(set(borders)) == borders
    nominal = range(HEADER + every, true[-2] + 1, every)
    assert {true[0], *(min(at for at in true if at >= begin) for begin in nominal)} == set(borders)
    packets, capture = read(path)
    assert (as_told(packets), capture.files[0]) == read_in_stretches(path, stretches(path, every))


def test_records_in_a_payload_may_be_taken_for_the_file_s(tmp_path: Path) -> None:
    """Somebody fetched a capture: the stretch before then ends within a record, which tells."""
    inside = pcap([Told(T0 + number, b"inside", 60) for number in range(200)])[HEADER:]
    packets = [MANY[0], Told(T0 + SECOND, inside), *MANY[1:]]
    path = written(tmp_path, pcap(packets))
    second = begins(packets)[2] - 1_000
    borders = find_borders(path, second - HEADER)
    assert borders[1] not in begins(packets)
    wrong = FileStretch(path, Stretch(HEADER, borders[1]))
    list(wrong)
    assert begins(packets)[1] == wrong.files[0].truncated_at


def test_zeros_are_no_records(tmp_path: Path) -> None:
    """Nor are empty records of 1970 many: time tells."""
    packets = [Told(T0 + number, bytes(5_000)) for number in range(9)]
    path = written(tmp_path, pcap(packets))
    assert begins(packets)[:-1] == find_borders(path, 3_000)


def test_only_plain_pcap_files_are_cut(tmp_path: Path) -> None:
    """Others, and what is not longer than one stretch, are left whole."""
    assert [] == find_borders(written(tmp_path, pcapng(MANY)), 1_000)
    assert [] == find_borders(written(tmp_path, b""), 1_000)
    assert [] == stretches(written(tmp_path, pcap(SOME)), 1 << 20)
    assert [HEADER] == find_borders(written(tmp_path, pcap([])), 1_000)


def test_damage_is_told_as_by_one_who_reads_all(tmp_path: Path) -> None:
    """At its byte of the file; only at the first record of all is it an error."""
    octets = bytearray(pcap(MANY))
    at = begins(MANY)[9]
    octets[at + 8 : at + 12] = b"\xff" * 4
    path = written(tmp_path, bytes(octets))
    _, capture = read(path)
    part = FileStretch(path, Stretch(at, None))
    assert [] == list(part)
    (found,), (expected,) = part.files, capture.files
    assert (expected.damage, expected.truncated_at) == (found.damage, found.truncated_at)
    octets[HEADER + 8 : HEADER + 12] = b"\xff" * 4
    with pytest.raises(CaptureError, match=f"byte {HEADER}"):
        list(FileStretch(written(tmp_path, bytes(octets)), Stretch(HEADER, at)))
