"""Pins `--dask`: the commands that print a table print the same of a cluster's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcptrace.faces.cli import status_of

CAPTURE = Path(__file__).resolve().parents[2] / "captures" / "fin_wait_2_stalled" / "capture.pcapng"


@pytest.mark.usefixtures("loopback")
@pytest.mark.parametrize("command", ["connections", "timeline", "anomalies"])
def test_table_of_a_cluster(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Rows, their order and their form; of some connections only, too."""
    distributed = pytest.importorskip("distributed")
    asked = [command, str(CAPTURE), "-q", "-T", "csv", "--conn", "0"]
    assert 0 == status_of(asked)
    expected = capsys.readouterr().out
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=":0"
    ) as cluster:
        assert 0 == status_of([*asked, "--dask", cluster.scheduler_address])
    assert expected == capsys.readouterr().out


def test_scheduler_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 2 and a sentence."""
    pytest.importorskip("distributed")
    monkeypatch.setattr("tcptrace.faces.dask.PATIENCE", 0.5)
    assert 2 == status_of(["timeline", str(CAPTURE), "--dask", "tcp://127.0.0.1:9"])
    assert "--dask tcp://127.0.0.1:9" in capsys.readouterr().err


def test_count_is_for_one_process(capsys: pytest.CaptureFixture[str]) -> None:
    """Which packets are the first is known only to who reads them all."""
    assert 2 == status_of(["timeline", str(CAPTURE), "-c", "5", "--dask", "tcp://127.0.0.1:9"])
    assert "-c" in capsys.readouterr().err
