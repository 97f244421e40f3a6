"""`--dask`: a table that a cluster made, brought here to be printed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import click

from tcptrace.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from tcptrace.tcp.profile import Profile
    from tcptrace.trace import Trace

PATIENCE = 10  # seconds until a scheduler has answered


def read_on(address: str, paths: list[str], filter: str | None, profile: Profile) -> Trace:
    """The tables of a capture that the cluster of a scheduler reads; only what is asked comes.

    UsageError without dask, for a scheduler that does not answer, and as `read_distributed`.
    """
    from tcptrace.cluster.reading import read_distributed

    spread = read_distributed(paths, _client(address), filter=filter, profile=profile)
    return cast("Trace", _Brought(spread))


def _client(address: str) -> Any:
    try:
        import distributed
    except ImportError:
        raise UsageError("--dask needs dask: pip install 'tcptrace[dask]'") from None
    try:
        client = cast("Any", distributed.Client)(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise UsageError(f"--dask {address}: {error}") from None
    click.get_current_context().call_on_close(client.close)
    return client


class _Brought:
    """What a command that prints a table asks of a trace."""

    def __init__(self, spread: Any) -> None:
        self._spread = spread
        self.capture = spread.capture

    @cached_property
    def connections(self) -> pd.DataFrame:
        return self._table("connections")

    @cached_property
    def timeline(self) -> pd.DataFrame:
        return self._table("timeline").reset_index(drop=True)

    @cached_property
    def anomalies(self) -> pd.DataFrame:
        return self._table("anomalies").reset_index(drop=True)

    def _table(self, name: str) -> pd.DataFrame:
        with self._spread.client.as_current():
            return cast("pd.DataFrame", getattr(self._spread, name).compute())
