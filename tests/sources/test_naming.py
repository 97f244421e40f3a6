"""What a user may name, and what it comes to."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from tcptrace.errors import CaptureError, UsageError
from tcptrace.sources.naming import named_sources


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three files, a hidden one, a folder."""
    for name in ("b.pcap", "a.pcap", "notes.txt", ".hidden"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "c.pcap").write_bytes(b"")
    return tmp_path


def names(source: object) -> list[str]:
    return [Path(each).name for each in named_sources(source).sources]


def test_a_directory_is_its_files_by_name(folder: Path) -> None:
    """Not those of folders in it, and no hidden ones; none of them has to be a capture."""
    assert ["a.pcap", "b.pcap", "notes.txt"] == names(folder)
    named = named_sources(str(folder))
    assert named.optional == set(named.sources)


def test_a_pattern_is_the_files_it_matches(folder: Path) -> None:
    """By name; `**` goes down; each of them must be a capture."""
    assert ["a.pcap", "b.pcap"] == names(f"{folder}/*.pcap")
    assert ["a.pcap", "b.pcap", "c.pcap"] == names(f"{folder}/**/*.pcap")
    assert set() == named_sources(f"{folder}/*.pcap").optional


def test_a_file_whose_name_looks_like_a_pattern(folder: Path) -> None:
    """An existing file is meant as it is."""
    (folder / "x[1].pcap").write_bytes(b"")
    assert ["x[1].pcap"] == names(folder / "x[1].pcap")


def test_lists_keep_their_order(folder: Path) -> None:
    """Of paths, patterns, directories and open files; a path named twice counts once."""
    file = io.BytesIO()
    named = named_sources([folder / "b.pcap", file, f"{folder}/*.pcap", "-"])
    assert [str(folder / "b.pcap"), file, str(folder / "a.pcap"), "-"] == named.sources


def test_nothing_there(folder: Path) -> None:
    """An empty directory and a pattern without a match are errors of their own."""
    (folder / "empty").mkdir()
    with pytest.raises(CaptureError, match="it has none"):
        named_sources(folder / "empty")
    with pytest.raises(CaptureError, match="match this pattern"):
        named_sources(f"{folder}/*.erf")


@pytest.mark.parametrize("source", [[], 7, None, [3.5], object(), b"bytes"])
def test_what_is_no_source(source: object) -> None:
    """The caller's mistake."""
    with pytest.raises(UsageError):
        named_sources(source)


def test_rotated_files_of_a_directory_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """As tcpdump -C and dumpcap name them, whether listed or matched."""
    names = ["x.pcap", "x.pcap1", "x.pcap2", "x.pcap10", "x_00001_20260101.pcap", "x_00002_2.pcap"]
    for name in names:
        (tmp_path / name).write_bytes(b"")
    expected = [str(tmp_path / name) for name in names]
    assert expected == named_sources(tmp_path).sources
    assert expected == named_sources(str(tmp_path / "x*")).sources
