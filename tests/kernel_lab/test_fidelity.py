"""Pins the command that prints the table of fidelity."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .capture_file import LINKTYPE_ETHERNET, CaptureFile
from .fidelity import BEGIN, END, README, fresh_seeds, main
from .tampering import TAMPERINGS
from .wire import TAPS


def test_fresh_seeds_are_of_both_families() -> None:
    """Even and odd by turns, and others each time."""
    seeds = fresh_seeds(10)
    assert [0, 1] * 5 == [seed % 2 for seed in seeds]
    assert seeds != fresh_seeds(10)


def test_readme_has_a_row_for_each_capture() -> None:
    """README's table is the one that the command prints."""
    table = README.read_text().partition(BEGIN)[2].partition(END)[0]
    assert list(TAMPERINGS) == [line.split(" | ")[0][2:] for line in table.splitlines()[2:]]


def test_kept_storms_are_judged_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Storms that are there already are not played again; what is missed is kept."""
    storm = tmp_path / "storms" / "storm_1"
    storm.mkdir(parents=True)
    endpoint = {"side": "client", "ip": "192.0.2.1", "port": 1, "peer_ip": "192.0.2.2"}
    states = [{"state": "SYN_SENT", "earliest": 1, "latest": 1, "transit": False}]
    facts = {"sysctls": {"ipv4/tcp_fin_timeout": 3}, "until": 9}
    facts["endpoints"] = [endpoint | {"peer_port": 2, "states": states}]
    (storm / "states.json").write_text(json.dumps(facts))
    for tap in TAPS:
        CaptureFile(LINKTYPE_ETHERNET).write(storm / f"{tap}.pcap")
    misses = tmp_path / "misses"
    assert 0 == main(["--storms", str(storm.parent), "--misses", str(misses)])
    rows = capsys.readouterr().out.splitlines()[2:]
    assert ["3 | 0.0000 | 0.0000 | 1.0000"] * len(TAMPERINGS) == [
        " | ".join(row.split(" | ")[1:5]) for row in rows
    ]
    kept = misses / "as_captured" / "storm_1" / "client.txt"
    assert "192.0.2.1 1 > 192.0.2.2 2: recorded SYN_SENT; told nothing\n" == kept.read_text()
