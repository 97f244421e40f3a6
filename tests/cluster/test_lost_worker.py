"""Pins that a worker which is lost costs time, not rows: a scheduler, and workers as processes."""

from __future__ import annotations

import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tcptrace.cluster.reading import read_distributed
from tests.cluster.same import assert_same, read
from tests.cluster.traffic import cut, records, written

PATIENCE = 120


def busiest(client: Any) -> str:
    """The worker that holds most results, as soon as any does."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        held = {worker: len(keys) for worker, keys in client.has_what().items()}
        if any(held.values()):
            return max(held, key=held.__getitem__)
        time.sleep(0.01)
    raise TimeoutError("no worker ever held a result")


def kill(client: Any) -> None:
    """The operating system's way, without a word to the scheduler."""
    victim = busiest(client)
    os.kill(client.run(os.getpid, workers=[victim])[victim], signal.SIGKILL)


@pytest.mark.usefixtures("loopback")
def test_worker_killed_while_it_reads_and_after(tmp_path: Path) -> None:
    """Chunks of files are decoded again, and so are tables made again that only it had."""
    distributed = pytest.importorskip("distributed")
    paths = written(cut(list(records()), 5, random.Random(5)), tmp_path)
    expected = read(paths)
    workers = {"n_workers": 2, "threads_per_worker": 1, "processes": True}
    with (
        distributed.LocalCluster(**workers, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        run = pool.submit(read_distributed, paths, client, chunk_size=10_000)
        kill(client)
        found = run.result(PATIENCE)
        assert_same(expected, found)
        kill(client)
        assert_same(expected, found)
