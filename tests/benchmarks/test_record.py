"""Keeps `record` true."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.programs import PROGRAMS
from tests.benchmarks.record import Load, Machine, Record, _cpu, begun
from tests.benchmarks.runs import TIMEOUT, Run


def test_every_program_is_either_measured_or_named_as_absent() -> None:
    """A peer that is not installed is not passed over in silence."""
    record = begun(3, 30, 300)
    assert {program.name for program in PROGRAMS} == {*record.versions, *record.absent}
    assert not {*record.versions} & {*record.absent}
    assert Machine.this() == record.machine


def test_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    """README's tables are made from the file."""
    runs = {"cat": [Run(0.5, 0.25, 3_000_000), Run(9.0, 8.0, 1, TIMEOUT)]}
    record = begun(3, 30, 300).with_load(Load("web-1M", 100, 1_000_000, 30_000, runs))
    record.write(tmp_path / "measured.json")
    assert record == Record.read(tmp_path / "measured.json")


def test_floor_is_what_this_process_has_had_at_most() -> None:
    """It may grow between loads, and a child's peak with it."""
    before = begun(3, 30, 300)
    kept = b"x" * 50_000_000
    after = before.with_load(Load("web-1M", 100, 1_000_000, 30_000, {}))
    assert before.floor + len(kept) // 2 < after.floor


def test_cpu_is_told_by_its_name() -> None:
    """Where the system knows one."""
    assert "Some CPU: 3 GHz" == _cpu("processor\t: 0\nmodel name\t: Some CPU: 3 GHz\n")
    assert _cpu("processor\t: 0\n")
