"""Keeps `programs` true: who is found, by which answer, and how it is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.programs import ENGINE, PROGRAMS, REFERENCE, Program, found

PEER = Program("peer", ("peer", "-r", "LOAD", "-w", "OUT"), ("-V",), r"Peer version (\S+)")


def installed(folder: Path, says: str, code: int = 0) -> Path:
    """A program named `peer` that says so when it is asked."""
    folder.mkdir()
    path = folder / "peer"
    path.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit {code}\n")
    path.chmod(0o755)
    return path


def test_peer_that_is_not_installed_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named as not measured."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert found(PEER) is None


def test_another_program_of_that_name_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours and Ostermann's have one name; some tell their version with an exit code."""
    other = installed(tmp_path / "other", "something else 9.9")
    right = installed(tmp_path / "right", "Peer version 1.2, by somebody", code=1)
    monkeypatch.setenv("PATH", f"{other.parent}:{right.parent}")
    known = found(PEER)
    assert known is not None
    assert (str(right), "1.2") == (known.path, known.version)


def test_ours_are_found_with_their_version() -> None:
    """They are measured wherever the peers are."""
    ours = {program.name: found(program) for program in PROGRAMS if program.is_ours}
    assert {REFERENCE, ENGINE} < set(ours)
    assert all(known and known.version for known in ours.values())


def test_command_is_that_of_the_load(tmp_path: Path) -> None:
    """Only the words LOAD and OUT are replaced."""
    words = PEER.on(tmp_path / "LOAD.pcap", tmp_path / "out", "/bin/peer")
    assert ["/bin/peer", "-r", f"{tmp_path}/LOAD.pcap", "-w", f"{tmp_path}/out"] == words


def test_every_program_reads_the_load_and_has_a_name_of_its_own() -> None:
    """Runs are kept by name."""
    assert all("LOAD" in program.command for program in PROGRAMS)
    assert len(PROGRAMS) == len({program.name for program in PROGRAMS})
