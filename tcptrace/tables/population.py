"""Sockets per state and host over time: counted for all steps at once, without a loop over them."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from tcptrace.errors import UsageError
from tcptrace.tables.lives import Lives
from tcptrace.tables.schema import STATES
from tcptrace.tables.wording import span

Numbers = npt.NDArray[np.int64]

STATE = pd.CategoricalDtype(list(STATES), ordered=True)
OTHERS = "others"
MOST_STEPS = 1_000_000
MOST_CELLS = 20_000_000
"""A table that is larger than this is of no use to anybody and may not fit."""


def population(
    timeline: pd.DataFrame,
    every: str | timedelta,
    begin: int,
    end: int,
    hosts: int | None = None,
) -> pd.DataFrame:
    """How many sockets of each host were in each state, at every step from `begin` to `end`.

    every : the step, as pandas writes it: "1s", "100ms", "5min"
    begin, end : ns since the epoch; steps lie on whole multiples of `every`, and the first and
        the last enclose both
    hosts : so many of the busiest hosts have columns of their own, all others share those of
        OTHERS; None for all

    Returns int64 with a UTC time a row and (host, state) a column; states that a host never was
    in have none, nor has CLOSED. A row is what `sockets` lists at that moment, so a state that
    begins and ends between two steps is not counted. UsageError for a step that makes no sense.
    """
    step = _step(every)
    if hosts is not None and hosts < 0:
        raise UsageError(f"{hosts} hosts cannot be told apart: give 0 or more")
    first = begin // step
    count = int(-(-end // step) - first) + 1 if len(timeline) else 0
    if count > MOST_STEPS:
        raise _too_fine(every, end - begin, count)
    lives = Lives.of(timeline)
    place, names = _busiest(lives, list(timeline["ip"].cat.categories), hosts)
    key, columns = np.unique(place * len(STATES) + lives.state, return_inverse=True)
    if count * len(key) > MOST_CELLS:
        raise _too_fine(every, end - begin, count)
    counted = _counted((lives.start, lives.end), columns, (count, len(key)), (first, step))
    return pd.DataFrame(counted, index=_times(first, step, count), columns=_labels(key, names))


def tidy(population: pd.DataFrame) -> pd.DataFrame:
    """A row for each time, host and state that has sockets: time, host, state, sockets."""
    counts = population.to_numpy()
    rows, places = np.nonzero(counts)
    hosts = pd.Categorical(population.columns.get_level_values("host"))
    states = pd.Categorical(population.columns.get_level_values("state"), dtype=STATE)
    values = {
        "time": population.index[rows],
        "host": hosts.take(places),
        "state": states.take(places),
        "sockets": counts[rows, places],
    }
    return pd.DataFrame(values)


def only(population: pd.DataFrame, kept: Numbers) -> pd.DataFrame:
    """The population without the rows of `tidy` that are not kept; steps stay, columns may go."""
    counts = population.to_numpy()
    rows, places = (each[kept] for each in np.nonzero(counts))
    left = np.zeros_like(counts)
    left[rows, places] = counts[rows, places]
    frame = pd.DataFrame(left, population.index, population.columns)
    return frame.iloc[:, np.flatnonzero(left.any(axis=0))]


def by_host(population: pd.DataFrame) -> pd.DataFrame:
    """For eyes: a row for each time and host that has sockets, a column a state."""
    counted = tidy(population)
    table = counted.pivot(index=["time", "host"], columns="state", values="sockets")
    table = table.sort_index(axis=1)
    table.columns = pd.Index([str(state) for state in table.columns])
    return table.fillna(0).astype(np.int64).reset_index()


def _counted(
    stays: tuple[Numbers, Numbers],
    columns: Numbers,
    shape: tuple[int, int],
    grid: tuple[int, int],
) -> Numbers:
    """Each stay adds 1 where it begins and takes it away where it ends; the sums are the counts."""
    (count, width), (first, step) = shape, grid
    changes = np.zeros((count + 1, width), np.int64)
    for times, change in zip(stays, (1, -1), strict=True):
        # the first step at or after the moment; -(-t // s) would overflow at the ends of int64
        steps = times // step + (times % step > 0) - first
        np.add.at(changes, (np.clip(steps, 0, count), columns), change)
    return np.cumsum(changes[:count], axis=0)


def _busiest(lives: Lives, names: list[str], hosts: int | None) -> tuple[Numbers, list[str]]:
    """Each stay's host as a place among the names of the columns, and these names.

    In order of how many stays a host has; those beyond the limit are one.
    """
    stays = np.bincount(lives.host, minlength=len(names))
    order = np.argsort(-stays, kind="stable")
    rank = np.empty(len(names), np.int64)
    rank[order] = np.arange(len(names))
    limit = len(names) if hosts is None else hosts
    ordered = [names[place] for place in order[:limit]]
    return np.minimum(rank[lives.host], limit), [*ordered, OTHERS]


def _labels(key: Numbers, names: list[str]) -> pd.MultiIndex:
    hosts = [names[place] for place in key // len(STATES)]
    states = pd.Categorical.from_codes(key % len(STATES), dtype=STATE)
    return pd.MultiIndex.from_arrays([hosts, states], names=["host", "state"])


def _times(first: int, step: int, count: int) -> pd.DatetimeIndex:
    stamps = (np.arange(count, dtype=np.int64) + first) * step
    return pd.DatetimeIndex(stamps.view("M8[ns]"), tz="UTC", name="time")


def _step(every: str | timedelta) -> int:
    try:
        step = int(pd.Timedelta(every).as_unit("ns").value)
    except (ValueError, TypeError, OverflowError):
        raise UsageError(f"{every!r} is no step such as 1s, 100ms or 5min") from None
    if step <= 0:
        raise UsageError(f"a step of {every!r} leads nowhere: give one such as 1s")
    return step


def _too_fine(every: str | timedelta, length: int, count: int) -> UsageError:
    return UsageError(
        f"every {every} is too fine for {span(length)}: {count:,} rows; take a longer step"
    )
