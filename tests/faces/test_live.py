"""The command `live`: its options, and what they are turned into."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from tcptrace.faces import watch
from tcptrace.faces.cli import cli
from tcptrace.faces.wish import Wish


@pytest.fixture
def wishes(monkeypatch: pytest.MonkeyPatch) -> list[Wish]:
    """What would be watched."""
    heard: list[Wish] = []
    monkeypatch.setattr(watch, "watch", heard.append)
    return heard


def run(*words: str) -> str:
    result = CliRunner().invoke(cli, ["live", *words])
    return f"{result.exit_code} {result.output}"


def test_nothing_but_the_command(wishes: list[Wish]) -> None:
    """What is asked for without options are the defaults of `Wish`."""
    assert "0 " == run()
    assert [Wish()] == wishes


def test_every_option(wishes: list[Wish]) -> None:
    """Letters are those of tcpdump and tshark."""
    words = "-i eth0 -f port\t80 -c 9 --profile freebsd --set tcp_fin_timeout=3 -T jsonl --once"
    words += " --interval 0.5 -B 4096 -Z ann -n -q -v"
    assert "0 " == run(*(word.replace("\t", " ") for word in words.split(" ")))
    assert [
        Wish(
            interface="eth0", filter="port 80", count=9, profile="freebsd",
            settings=("tcp_fin_timeout=3",), form="jsonl", once=True, interval=0.5, buffer=4096,
            user="ann", quiet=True, verbose=True,
        )
    ] == wishes  # fmt: skip


@pytest.mark.parametrize(("text", "speed"), [("10x", 10.0), ("0.5", 0.5), ("2X", 2.0)])
def test_speeds(wishes: list[Wish], text: str, speed: float) -> None:
    """With or without the x."""
    run("--replay", text, "some.pcap")
    assert [Wish(file="some.pcap", replay=speed)] == wishes


@pytest.mark.parametrize("text", ["fast", "0x", "-1", "nan", "infx"])
def test_what_is_no_speed(wishes: list[Wish], text: str) -> None:
    """It is told what one looks like."""
    told = run("--replay", text, "some.pcap")
    assert told.startswith("2 ") and "give a speed such as 1x or 10x" in told
    assert [] == wishes


def test_the_interfaces(wishes: list[Wish], monkeypatch: pytest.MonkeyPatch) -> None:
    """-D lists them, and does nothing else."""
    found = [("lo", True), ("eth0", False), ("any", True)]
    monkeypatch.setattr("tcptrace.sources.interface.interfaces", lambda: found)
    assert "0 lo\neth0 (down)\nany\n" == run("-D")
    assert [] == wishes
