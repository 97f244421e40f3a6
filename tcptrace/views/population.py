"""`Population`: the DataFrame of sockets over time, whose `.plot` stacks states in our colours.

A subclass, because nothing smaller will do: `DataFrame.plot` has no defaults that can be set for
one frame, and pandas' own hook (`register_dataframe_accessor`) would put ours on every DataFrame of
the process. All else is pandas': `.plot` takes its arguments, and slices keep it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.plotting import PlotAccessor

from tcptrace.errors import UsageError
from tcptrace.tables.schema import STATES
from tcptrace.tables.wording import counted
from tcptrace.views.extras import require_matplotlib
from tcptrace.views.lettering import printable
from tcptrace.views.palette import paint_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AREA = "area"
MATPLOTLIB = "matplotlib"
WHOLE = (9.0, 4.0)  # inches
PANEL = (9.0, 2.0)  # inches, of one host's picture among several
MOST_PANELS = 12


class Population(pd.DataFrame):
    """Sockets per state and host over time, as `tables.population` counts them.

    `.plot()` stacks the states of all hosts together, `.plot(subplots=True)` those of each host
    in a panel of its own, `population["192.0.2.1"].plot()` those of one. UsageError without
    matplotlib, or without a socket.
    """

    @property
    def _constructor(self) -> type[Population]:
        return Population

    @property
    def plot(self) -> PopulationPlot:
        """pandas' accessor: stacked areas in the palette unless told otherwise."""
        return PopulationPlot(self)


class PopulationPlot(PlotAccessor):
    """What `.plot` gives: to be called, or by kind as in `.plot.line()`."""

    def __init__(self, population: pd.DataFrame) -> None:
        super().__init__(population)
        self._population = population

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """As `DataFrame.plot`, of states summed over hosts; `subplots=True` is a panel a host."""
        if not args:
            kwargs.setdefault("kind", AREA)
        if kwargs.get("backend", pd.get_option("plotting.backend")) != MATPLOTLIB:
            return PlotAccessor(by_state(self._population))(*args, **kwargs)
        require_matplotlib()
        if not self._population.shape[1]:
            raise UsageError("there is nothing to plot: the capture holds no socket")
        if kwargs.get("subplots") is True and self._population.columns.nlevels > 1:
            return _panels(self._population, args, {**kwargs, "subplots": False})
        return _plotted(by_state(self._population), args, kwargs)


def by_state(frame: pd.DataFrame) -> pd.DataFrame:
    """The sockets of all hosts together, a column a state in the order of the machine."""
    if frame.columns.nlevels > 1:
        frame = frame.T.groupby(level="state", observed=True).sum().T
    return pd.DataFrame(frame.to_numpy(), frame.index, [str(name) for name in frame.columns])


def hosts_of(frame: pd.DataFrame) -> list[str]:
    """The hosts that have columns, the busiest first."""
    return list(dict.fromkeys(frame.columns.get_level_values("host")))


def _panels(frame: pd.DataFrame, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """An array of Axes, one a host, below each other on one scale of time."""
    import matplotlib.pyplot as plt

    hosts = hosts_of(frame)[:MOST_PANELS]
    size = kwargs.pop("figsize", (PANEL[0], PANEL[1] * len(hosts) + 0.8))
    figure, axes = plt.subplots(
        len(hosts), figsize=size, sharex=True, squeeze=False, layout="constrained"
    )
    if len(hosts) < len(hosts_of(frame)):
        figure.suptitle(f"the busiest {len(hosts)} of {counted(len(hosts_of(frame)), 'host')}")
    for host, panel in zip(hosts, axes[:, 0], strict=True):
        own = frame.iloc[:, np.flatnonzero(frame.columns.get_level_values("host") == host)]
        _plotted(by_state(own), args, {**kwargs, "ax": panel, "title": printable(host)})
        panel.set_xlabel("")
    axes[-1, 0].set_xlabel("UTC")
    return axes[:, 0]


def _plotted(frame: pd.DataFrame, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """pandas' picture of a frame of one level, on a figure that has room for the legend."""
    if args or kwargs.get("subplots"):
        return PlotAccessor(frame)(*args, **{**_paint(frame, kwargs), **kwargs})
    if "ax" not in kwargs:
        import matplotlib.pyplot as plt

        size = kwargs.pop("figsize", WHOLE)
        kwargs["ax"] = plt.subplots(figsize=size, layout="constrained")[1]
    over_time = kwargs.get("kind") in (AREA, "line")
    if over_time:  # matplotlib's dates, not pandas' periods, which know no zone and no 700 ms
        kwargs.setdefault("x_compat", True)
    kwargs = {**_paint(frame, kwargs), "ylabel": "sockets", "xlabel": "UTC", **kwargs}
    axes = PlotAccessor(frame)(**kwargs)
    if over_time:
        _set_axes(axes)
    if kwargs.get("legend", True) and axes.get_legend() is not None:
        _put_legend_beside(axes)
    return axes


def _paint(frame: pd.DataFrame, kwargs: dict[str, Any]) -> dict[str, Any]:
    """pandas' arguments for our colours, unless the caller chose or these are no states."""
    if {"color", "colormap", "style"} & set(kwargs) or not set(frame.columns) <= set(STATES):
        return {}
    paint: dict[str, Any] = {"color": [paint_of(state).fill for state in frame.columns]}
    return paint | ({"linewidth": 0} if kwargs.get("kind") == AREA else {})


def _set_axes(axes: Axes) -> None:
    """Times in UTC from edge to edge, whole sockets upwards."""
    from matplotlib.ticker import MaxNLocator

    dates: Any = import_module("matplotlib.dates")  # it has no types
    locator = dates.AutoDateLocator(tz="UTC")
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator, tz="UTC"))
    axes.tick_params(axis="x", rotation=0)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.autoscale(tight=True, axis="x")


def _put_legend_beside(axes: Axes) -> None:
    """In the order in which the states are stacked, outside, so that it hides nothing."""
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="upper left", bbox_to_anchor=(1.0, 1.0))
