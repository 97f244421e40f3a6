"""Pins the catalogue as a whole: every row can be told, and names nothing twice."""

from __future__ import annotations

from string import Formatter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcptrace.anomalies.anomaly import Anomaly
from tcptrace.anomalies.catalogue import CATALOGUE
from tcptrace.tables.schema import ANOMALIES, SEVERITIES
from tcptrace.tcp.states import Event, Role, State
from tcptrace.tracker.transitions import Basis, Endpoints, ResetForm
from tests.anomalies.scenes import findings
from tests.tables.written import Written, at

NAMES = [anomaly.code for anomaly in CATALOGUE]


def test_each_code_stands_once() -> None:
    """A code is a name."""
    assert sorted(set(NAMES)) == sorted(NAMES)


@pytest.mark.parametrize("anomaly", CATALOGUE, ids=NAMES)
def test_each_row_is_told_in_whole_sentences(anomaly: Anomaly) -> None:
    """Every text of every variant begins with a capital, a number or a hole, and ends properly."""
    assert anomaly.severity in SEVERITIES
    for sentences in anomaly.sentences.values():
        texts = vars(sentences)
        for name, text in texts.items():
            if name == "many" and not text:
                continue
            assert text.endswith((".", "}")), (name, text)
            assert text[0].isupper() or text[0] == "{", (name, text)
            list(Formatter().parse(text))


COUNTS = st.sampled_from([0, 0, 1, 2, 7])
TIMES = st.sampled_from([0, at(1), at(20), at(200)])
NAMES_OF_CELLS = sorted(set(Endpoints.COLUMNS) - {"conn", "role"})
ENDPOINT = st.fixed_dictionaries(
    {}, optional={name: TIMES if "time" in name else COUNTS for name in NAMES_OF_CELLS}
)
MOVE = st.tuples(
    st.sampled_from(Role), st.sampled_from(State), st.sampled_from(Event),
    st.sampled_from(Basis), st.integers(0, 100),
)  # fmt: skip
CONNECTION = st.tuples(
    ENDPOINT, ENDPOINT, st.lists(MOVE, max_size=6), st.sampled_from([0, 1]),
    st.sampled_from([0, 1]), st.integers(0, 3),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(CONNECTION, max_size=7))
def test_any_facts_give_a_sound_table(connections: list[tuple]) -> None:  # type: ignore[type-arg]
    """Whatever endpoints are said to have done: declared dtypes, no hole left in a sentence."""
    written = Written()
    for orig, resp, moves, mid_stream, one_sided, vantage in connections:
        flags = {"mid_stream": mid_stream, "one_sided": one_sided, "vantage": vantage}
        conn = written.connection(**flags)
        for role, cells in zip(Role, (orig, resp), strict=True):
            form = cells.get("rst_form", 0) % len(ResetForm)
            written.ends[2 * conn + role] |= cells | {"rst_form": form}
        for role, state, event, basis, time in moves:
            written.move(conn, role, state, event, time, basis=basis)
    found = findings(written)
    assert [] == ANOMALIES.faults(found.table)
    for text in found.table[["headline", "why", "ruled_out", "advice", "limits"]].stack():
        assert text and "{" not in text
    assert (found.table["count"] >= 1).all()
    assert sorted(found.members[:, 0].tolist()) == found.members[:, 0].tolist()
