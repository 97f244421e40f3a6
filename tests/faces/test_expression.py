"""The grammar of `-Y`, and that a bad expression says where it is bad."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptrace.errors import UsageError
from tcptrace.faces.expression import matching
from tests.faces.made import CONNECTIONS, table


def conns(text: str) -> list[int]:
    """The numbers of the made connections for which the expression holds."""
    return list(matching(table("connections", *CONNECTIONS).reset_index(), text)["conn"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("conn == 1", [1]),
        ("conn=1", [1]),
        ("conn eq 1 or conn ge 2", [1, 2]),
        ("conn == 1 || conn == 2", [1, 2]),
        ("conn == 1 | conn == 2", [1, 2]),
        ("conn < 2 && conn > 0", [1]),
        ("conn < 2 & conn > 0", [1]),
        ("conn == 0 or conn == 1 and conn == 2", [0]),
        ("(conn == 0 or conn == 1) and conn == 2", []),
        ("not conn == 0", [1, 2]),
        ("!(conn == 0 or conn == 1)", [2]),
        ("not not conn == 0", [0]),
        ("conn in (0, 2)", [0, 2]),
        ("conn in [0,2]", [0, 2]),
        ("conn in {0}", [0]),
        ("conn not in (0, 2)", [1]),
        ("conn IN (0) OR NOT conn != 1", [0, 1]),
    ],
)
def test_and_or_not_in(text: str, expected: list[int]) -> None:
    """`and` binds closer than `or`, brackets closest; Python's and tshark's spellings both do."""
    assert expected == conns(text)


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("", 1, "expected a column"),
        ("conn", 5, "expected =="),
        ("conn ==", 8, "expected a value"),
        ("conn == 1 conn == 2", 11, "expected 'and', 'or' or the end, found 'conn'"),
        ("(conn == 1", 11, "expected ')'"),
        ("conn in (1, 2", 14, "expected ')'"),
        ("conn in (1, 2]", 14, "expected ')', found ']'"),
        ("conn == 'x", 9, "a quote that is not closed"),
        ("conm == 1", 1, "no column is called 'conm'; near it: conn"),
        ("conn == 0 and stat == CLOSED", 15, "near it: "),
        ("conn == many", 9, "conn holds numbers"),
        ("orig_state == FINISHED", 15, "no state is called"),
        ("duration > soon", 12, "no duration"),
        ("closer > originator and close_kind == fins", 39, "fin, rst, timeout, none"),
        ("orig_ip == office", 12, "no address"),
        ("orig_ip < 10.0.0.1", 11, "has no order"),
        ("history > S", 11, "has no order"),
        ("conn contains 1", 15, "contains fits texts and lists"),
        ("conn not == 1", 10, "expected =="),
        ("'conn' == 1", 1, "expected a column"),
    ],
)
def test_bad_expressions_say_where(text: str, position: int, words: str) -> None:
    """One line with the position, counted from 1, and what would fit."""
    with pytest.raises(UsageError) as caught:
        conns(text)
    told = str(caught.value)
    assert f"position {position} of " in told and words in told
    assert "\n" not in told


@pytest.mark.parametrize(
    "text",
    [
        "conn.__class__ == 1",
        "__import__('os') == 1",
        "@pd == 1",
        "conn == conn.values.dtype",
        "`conn` == 1",
    ],
)
def test_nothing_reaches_beyond_the_table(text: str) -> None:
    """Attributes, calls and outer names are unknown columns or values, never evaluated."""
    with pytest.raises(UsageError):
        conns(text)


@pytest.mark.parametrize("text", ["(" * 100_000, "not " * 100_000 + "conn == 1"])
def test_nesting_is_bounded(text: str) -> None:
    """A hostile expression exhausts no stack."""
    with pytest.raises(UsageError, match="nested deeper"):
        conns(text)


@given(st.text(alphabet="con()[]{},=!<>&|'\" 01 andornotin.:/-", max_size=40))
def test_any_text_is_answered(text: str) -> None:
    """A mask or a UsageError, nothing else, on a table with rows and on one without."""
    for frame in (table("connections", *CONNECTIONS), table("connections")):
        try:
            rows = matching(frame.reset_index(), text)
        except UsageError:
            continue
        assert isinstance(rows, pd.DataFrame)
