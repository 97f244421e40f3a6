"""Keeps `by_object` true to callgrind's format."""

from __future__ import annotations

from tests.benchmarks.callgrind import by_object

FILE = """\
# callgrind format
version: 1
positions: line
events: Ir
summary: 1126

ob=(1) /lib/ours.so
fl=(1) ???
fn=(1) first
0 7
cob=(2) /lib/theirs.so
cfi=(2) ???
cfn=(2) second
calls=3 0
0 1000
0 2
+1 4
* 1

fn=(3) third
0 10

ob=(2)
fn=(2)
-1 1000
cob=(1)
cfn=(3)
calls=1 0
0 10
0 102

totals: 1126
"""


def test_cost_is_told_by_object_without_that_of_callees() -> None:
    """Names are told once and meant by number later; positions may be relative."""
    counts = by_object(FILE.splitlines(keepends=True))
    assert {"/lib/ours.so": 24, "/lib/theirs.so": 1102} == counts
    assert 1126 == sum(counts.values())
