"""Keeps the guard against regressions awake: what it counts, and when it says no."""

from __future__ import annotations

import json

import pytest

from tcptrace.compiled import KERNELS, interpreted_kernels
from tests.benchmarks.counts import (
    INSTRUCTIONS,
    LINES,
    LOADS,
    RECORD,
    SMALL,
    STAGES,
    TOLERANCE,
    TOLERANCE_ELSEWHERE,
    Count,
    Counts,
    by_stage,
    compared,
    made_by,
    stage,
    tolerances,
)

MANY = 100_000_000


def test_every_kernel_belongs_to_a_stage() -> None:
    """And every stage has one."""
    assert set(STAGES.values()) == {stage(kernel) for kernel in KERNELS}
    assert "assign" == stage("tcptrace.tracker.four_tuples")
    assert "zeek" == stage("tcptrace.tracker.zeek_side")
    assert "judge" == stage("tcptrace.tracker.opening")


def test_only_our_objects_count_and_each_once() -> None:
    """The interpreter's and NumPy's instructions are not ours; zeek is no prefix of zeek_side."""
    counts = by_stage(
        {
            "/lib/libpython3.11.so.1.0": 7,
            "/x/site-packages/tcptrace/tracker/zeek.cpython-311-x86_64-linux-gnu.so": 10,
            "/x/site-packages/tcptrace/tracker/zeek_side.cpython-311-x86_64-linux-gnu.so": 100,
            "/x/tcptrace/sources/records.cpython-311-x86_64-linux-gnu.so": 1000,
        }
    )
    assert dict.fromkeys(STAGES.values(), 0) | {"zeek": 110, "read": 1000} == counts


@pytest.mark.parametrize(
    ("before", "now", "rose", "fell"),
    [
        (MANY, MANY, False, False),
        (MANY, MANY * 1.04, False, False),
        (MANY, MANY * 1.06, True, False),
        (MANY, MANY * 0.94, False, True),
        (SMALL[INSTRUCTIONS], SMALL[INSTRUCTIONS] * 1.9, False, False),
        (0, MANY, True, False),
    ],
)
def test_a_count_rises_or_falls_by_more_than_its_tolerance(
    before: float, now: float, rose: bool, fell: bool
) -> None:
    """What is small may double: that is start-up."""
    count = Count("web-20k", INSTRUCTIONS, "judge", int(before), int(now))
    assert (rose, fell) == (count.rose, count.fell)
    assert rose == ("ROSE" in count.told())


def test_counts_that_only_one_side_has_are_compared_with_nothing() -> None:
    """A new floor is seen, and so is one that is gone."""
    before: Counts = {LOADS[0]: {LINES: {"tables": 9_000, "gone": 8_000}}}
    after: Counts = {LOADS[0]: {LINES: {"tables": 9_000, "new": 7_000}}}
    found = {each.where: (each.rose, each.fell) for each in compared(before, after, {LINES: 0.05})}
    assert {"tables": (False, False), "gone": (False, True), "new": (True, False)} == found


def test_other_compiler_or_python_is_allowed_more() -> None:
    """Each for what it makes; a regression by half is seen even so."""
    here = made_by()
    assert {INSTRUCTIONS: TOLERANCE, LINES: TOLERANCE} == tolerances(here, here)
    other = here | {INSTRUCTIONS: "clang version 99"}
    assert {INSTRUCTIONS: TOLERANCE_ELSEWHERE, LINES: TOLERANCE} == tolerances(other, here)
    assert Count("web-20k", INSTRUCTIONS, "judge", MANY, MANY * 3 // 2, TOLERANCE_ELSEWHERE).rose


@pytest.mark.skipif(bool(interpreted_kernels()), reason="no compiler has made anything")
def test_compiler_is_known_from_the_kernel_itself() -> None:
    """Not from what happens to be installed now."""
    assert made_by()[INSTRUCTIONS].startswith(("GCC: ", "clang version "))


def test_record_has_every_load_and_stage() -> None:
    """`--update` writes it."""
    record = json.loads(RECORD.read_text())
    assert {INSTRUCTIONS, LINES} == set(record["made_by"])
    assert set(LOADS) == set(record["counts"])
    for counts in record["counts"].values():
        assert set(STAGES.values()) == set(counts[INSTRUCTIONS])
        assert all(counts[INSTRUCTIONS].values()) and all(counts[LINES].values())
