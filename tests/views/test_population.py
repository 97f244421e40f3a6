"""Pins `.plot` of a population: pandas' accessor, with the palette where nobody chose."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from tcptrace.errors import UsageError
from tcptrace.tables.population import STATE
from tcptrace.views.palette import paint_of
from tcptrace.views.population import MOST_PANELS, Population, by_state, hosts_of

matplotlib.use("Agg")
STATES = ("SYN_SENT", "ESTABLISHED", "TIME_WAIT")


@pytest.fixture(autouse=True)
def no_figure_left() -> Iterator[None]:
    """pandas draws with pyplot, which keeps what it drew."""
    import matplotlib.pyplot as plt

    yield
    plt.close("all")


def population(hosts: int = 2, rows: int = 4) -> Population:
    """Host h has h + n sockets in the n-th state, at every second."""
    keys = [(f"10.0.0.{host}", state) for host in range(hosts) for state in STATES]
    names = pd.Categorical([state for _, state in keys], dtype=STATE)
    columns = pd.MultiIndex.from_arrays([[h for h, _ in keys], names], names=["host", "state"])
    cells = [[host + n for host in range(hosts) for n in range(len(STATES))]] * rows
    times = pd.date_range("2026-11-25", periods=rows, freq="s", tz="UTC", name="time")
    return Population(np.array(cells), index=times, columns=columns)


def colours(axes) -> list[str]:  # type: ignore[no-untyped-def]
    return [to_hex(area.get_facecolor()[0]) for area in axes.collections]


def labels(axes) -> list[str]:  # type: ignore[no-untyped-def]
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_default_is_stacked_areas_in_the_palette() -> None:
    """States in the order of the machine, the legend as they are stacked, axes named."""
    axes = population().plot()
    assert [paint_of(state).fill for state in STATES] == colours(axes)
    assert list(reversed(STATES)) == labels(axes)
    assert ("sockets", "UTC") == (axes.get_ylabel(), axes.get_xlabel())
    tops = [area.get_paths()[0].vertices[:, 1].max() for area in axes.collections]
    assert [1, 1 + 3, 1 + 3 + 5] == tops


def test_kinds_and_arguments_are_pandas() -> None:
    """By name, by accessor, with colours and axes of one's own."""
    import matplotlib.pyplot as plt

    own = plt.figure().subplots()
    assert own is population().plot(ax=own, title="mine")
    assert "mine" == own.get_title()
    lines = population().plot.line().get_lines()
    assert [paint_of(state).fill for state in STATES] == [line.get_color() for line in lines]
    assert ["#ff0000", "#00ff00", "#0000ff"] == colours(population().plot(color=["r", "lime", "b"]))
    assert population().plot(kind="bar").patches
    assert len(STATES) == len(population().plot(None, None, "line").get_lines())


def test_panel_a_host() -> None:
    """An array of axes as pandas gives, the busiest hosts only."""
    panels = population(hosts=3).plot(subplots=True)
    assert ["10.0.0.0", "10.0.0.1", "10.0.0.2"] == [panel.get_title() for panel in panels]
    assert [["UTC"], [""]] == [[p.get_xlabel()] for p in (panels[-1], panels[0])]
    many = population(hosts=MOST_PANELS + 1).plot(subplots=True)
    assert MOST_PANELS == len(many)
    assert f"busiest {MOST_PANELS} of {MOST_PANELS + 1} hosts" in many[0].figure.get_suptitle()


def test_slices_keep_the_plot() -> None:
    """Rows, one host, a selection of columns."""
    whole = population()
    for part in (whole.iloc[:2], whole["10.0.0.1"], whole.loc[:, ["10.0.0.1"]]):
        assert isinstance(part, Population)
        assert [paint_of(state).fill for state in STATES] == colours(part.plot())


def test_other_columns_are_drawn_as_pandas_would() -> None:
    """A sum over states has no state's colour."""
    renamed = Population({"open": [1, 2, 1]}, index=population(rows=3).index)
    assert ["open"] == labels(renamed.plot())


def test_states_are_summed_over_hosts() -> None:
    """Plain columns of text, hosts in the order of the columns."""
    assert {"SYN_SENT": 1, "ESTABLISHED": 3, "TIME_WAIT": 5} == by_state(population()).iloc[
        0
    ].to_dict()
    assert ["10.0.0.0", "10.0.0.1"] == hosts_of(population())


def test_nothing_to_plot() -> None:
    """A sentence instead of pandas' TypeError."""
    with pytest.raises(UsageError, match="no socket"):
        population(hosts=0).plot()


def test_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """What to install, before pandas complains."""
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(UsageError, match=r"tcptrace\[plot\]"):
        population().plot()


def test_address_that_looks_like_mathematics_is_text() -> None:
    """A column's name may hold anything: what TeX would choke on is shown as it is."""
    table = population(hosts=1)
    table.columns = table.columns.set_levels(["$\\frac{"], level="host")
    (panel,) = table.plot(subplots=True)
    panel.figure.canvas.draw()
    assert "$\\frac{" == panel.get_title()
