"""`DistributedTrace`: tables whose rows are on the workers."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from tcptrace.cluster.tables import write
from tcptrace.errors import UsageError
from tcptrace.tables.capture_facts import CaptureFacts
from tcptrace.tables.schema import TABLES
from tcptrace.tables.table import Kind, Table
from tcptrace.tables.wording import counted
from tcptrace.tcp.profile import Profile


class DistributedTrace:
    """The tables of `Trace` as Dask DataFrames; `.compute()` gives what `read` gives.

    A partition holds the connections that begin in one span of the capture, in order. `anomalies`
    is one partition. The rows stay on the cluster while this object lives.

    capture : CaptureFacts, facts of the input
    profile : the timers by which silent states end
    client : the cluster's, which must be the current one where a table is computed
    """

    def __init__(
        self,
        tasks: Any,
        partitions: dict[str, list[Any]],
        bases: list[int],
        capture: CaptureFacts,
        profile: Profile,
    ) -> None:
        """`partitions` are futures; `bases` the first connection of each, and how many in all."""
        self.capture = capture
        self.profile = profile
        self.client = tasks.client
        self._tasks = tasks
        self._partitions = partitions
        self._bases = bases

    @cached_property
    def connections(self) -> Any:
        """One row a connection, index `conn`; columns as `tables.schema.CONNECTIONS` says."""
        return self._frame("connections")

    @cached_property
    def timeline(self) -> Any:
        """One row a state interval of one endpoint; columns as `tables.schema.TIMELINE` says."""
        return self._frame("timeline")

    @cached_property
    def anomalies(self) -> Any:
        """One row an anomaly; columns as `tables.schema.ANOMALIES` says."""
        return self._frame("anomalies")

    def to_parquet(self, folder: str | Path) -> list[Path]:
        """Each worker writes its partitions, into a folder `TABLE.parquet` for each table.

        Returns these folders; `pandas.read_parquet` of one reads all of it, in order. UsageError
        if that cannot be done.
        """
        homes = {name: Path(folder) / f"{name}.parquet" for name in self._partitions}
        for home in homes.values():
            if home.exists():
                raise UsageError(f"cannot write to {home}: it is there already")
        written = [
            self._tasks(write, part, f"part-{place:05}", str(homes[name].absolute()))
            for name, parts in self._partitions.items()
            for place, part in enumerate(parts)
        ]
        self.client.gather(written)
        return list(homes.values())

    def __len__(self) -> int:
        """How many connections there are."""
        return self._bases[-1]

    def __bool__(self) -> bool:
        """A trace is something even where it holds no connection."""
        return True

    def __repr__(self) -> str:
        names = ", ".join(file.path for file in self.capture.files[:3])
        told = counted(len(self), "connection")
        return f"<DistributedTrace of {names or 'nothing'}: {told}>"

    def _frame(self, name: str) -> Any:
        import dask
        import dask.dataframe as dd

        with dask.config.set({"dataframe.convert-string": False}):
            return dd.from_delayed(
                self._partitions[name], meta=_meta(TABLES[name]), verify_meta=False
            )


def _meta(table: Table) -> Any:
    """An empty frame of the table; what names there are is not known before."""
    from dask.dataframe.utils import clear_known_categories

    names = [column.name for column in table.columns if column.kind is Kind.NAME]
    cleared: Any = clear_known_categories
    return cleared(table.empty(), cols=names)
