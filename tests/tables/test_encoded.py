"""Tables as values and lines of JSON and CSV."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest

from tcptrace.tables import encoded
from tcptrace.tables.encoded import csv_form, csv_lines, json_array, json_lines, machine_cells
from tests.tables.columns import FLAGS, LISTS, MAYBE, SPANS, TIMES, WORDS

TEXTS = pd.Series(['a "b", %s', None, "x\ty\nz\r\u2028é"], dtype="string", name="headline")
PARTS = pd.Series([0.1, np.nan, 1e300], name="share")
ALL = pd.concat([TIMES, SPANS, MAYBE, LISTS, WORDS, FLAGS, TEXTS, PARTS], axis=1)


def test_times_are_iso_8601_with_nanoseconds_in_utc() -> None:
    """No digit is lost, and the zone is said."""
    expected = ["2025-11-25T03:42:29.123456789Z", None, "1970-01-01T00:00:00.000000000Z"]
    assert expected == machine_cells(TIMES)


def test_durations_are_decimal_seconds_as_text() -> None:
    """Text, so that no reader of JSON rounds them to a double."""
    assert ["0.000000001", None, "90.000000000"] == machine_cells(SPANS)


def test_counts_stay_whole() -> None:
    """A missing count makes no float of its neighbours."""
    assert [9_007_199_254_740_993, None, 0] == machine_cells(MAYBE)
    assert [int, type(None), int] == [type(cell) for cell in machine_cells(MAYBE)]


def test_words_flags_and_lists() -> None:
    """Plain Python values, whatever pandas holds them in."""
    assert ["fin", None, "rst"] == machine_cells(WORDS)
    assert [True, False, True] == machine_cells(FLAGS)
    assert [[1, 2], [3], []] == machine_cells(LISTS)


def test_csv_writes_lists_and_flags_as_json() -> None:
    """In quotes where the separator stands in them; what is missing is an empty field."""
    assert ['"[1, 2]"', "[3]", "[]"] == csv_form(LISTS, ",")(LISTS)
    assert ["[1, 2]", "[3]", "[]"] == csv_form(LISTS, "\t")(LISTS)
    assert ["true", "false", "true"] == csv_form(FLAGS, ",")(FLAGS)
    assert ["fin", "", "rst"] == csv_form(WORDS, ",")(WORDS)
    assert ["9007199254740993", "", "0"] == csv_form(MAYBE, ",")(MAYBE)


@pytest.mark.parametrize("separator", [",", "\t"])
@pytest.mark.parametrize("names", [list(ALL.columns), ["headline"], ["close_kind"], ["duration"]])
def test_csv_is_as_the_csv_module_writes_it(separator: str, names: list[str]) -> None:
    """Whatever stands in a cell, and a lone empty field is in quotes."""
    stream = io.StringIO()
    cells = {name: machine_cells(ALL[name]) for name in names}
    for name in {"packets", "is_final"} & set(names):
        cells[name] = [json.dumps(cell) for cell in cells[name]]
    rows = zip(*cells.values(), strict=True)
    csv.writer(stream, delimiter=separator, lineterminator="\n").writerows(rows)
    assert stream.getvalue() == "".join(csv_lines(ALL[names], separator))


def test_json_is_as_the_json_module_writes_it() -> None:
    """Object by object, whatever stands in a cell or is a column's name."""
    table = ALL.rename(columns={"share": '100 % "é"'})
    columns = [machine_cells(table[name]) for name in table.columns]
    rows = [dict(zip(table.columns, row, strict=True)) for row in zip(*columns, strict=True)]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    assert "\n".join([*lines, ""]) == "".join(json_lines(table))
    assert "[\n" + ",\n".join(lines) + "\n]\n" == "".join(json_array(table))
    assert lines[0].replace("{", '{"line": 1, ') + "\n" == "".join(
        json_lines(table.head(1), '"line": 1, ')
    )


def test_a_table_without_rows() -> None:
    """No lines, and an array of nothing."""
    table = ALL.head(0)
    assert [[], [], ["[]\n"]] == [
        [*csv_lines(table, ",")],
        [*json_lines(table)],
        [*json_array(table)],
    ]


def test_the_seams_between_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables become text in parts, whatever the rows that share one."""
    whole = [[*csv_lines(ALL, ",")], [*json_lines(ALL)], [*json_array(ALL)]]
    monkeypatch.setattr(encoded, "CHUNK", 2)
    parts = [[*csv_lines(ALL, ",")], [*json_lines(ALL)], [*json_array(ALL)]]
    assert [2, 2, 3] == [len(each) for each in parts]
    assert ["".join(each) for each in whole] == ["".join(each) for each in parts]


def test_a_category_out_of_use_is_not_encoded() -> None:
    """A few rows of a long table have its many categories."""
    column = pd.Series(pd.Categorical(["b", None], categories=["a", "b"]))
    asked: list[str] = []
    form = encoded.category_form(column, lambda words: asked.extend(words) or words, "")
    assert ["b", ""] == form(column) and ["b"] == asked
