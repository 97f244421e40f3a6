"""Live captures of real sockets on hosts of our own, and of files at their own pace."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from veth import NAMES, Veth, two_hosts

import tcptrace
from tcptrace.errors import CaptureError, UsageError
from tcptrace.live import Live
from tcptrace.look import Update
from tcptrace.sources.capture import open_capture
from tcptrace.sources.facts import InterfaceFacts
from tcptrace.sources.interface import Interface
from tcptrace.sources.paced import Paced
from tcptrace.sources.packets import Packets
from tcptrace.tcp.timers import profile

CAPTURES = Path(__file__).parent.parent / "captures"
TABLES = ("connections", "timeline", "anomalies")


@pytest.fixture
def hosts() -> Iterator[Veth]:
    with two_hosts() as pair:
        yield pair


class Recorded(Interface):
    """An interface that also writes down what it gives, as a pcap file of nanoseconds."""

    def record(self, path: Path) -> None:
        self.path = path
        header = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262_144, 1)
        path.write_bytes(header)

    def batches(self) -> Iterator[Packets]:
        for packets in super().batches():
            with self.path.open("ab") as file:
                for row, time_ns in enumerate(packets.time.tolist()):
                    octets = packets.packet_bytes(row)
                    times = divmod(time_ns, 1_000_000_000)
                    file.write(struct.pack("<IIII", *times, len(octets), packets.length[row]))
                    file.write(octets)
            yield packets


def play(hosts: Veth) -> None:
    """A few connections of every kind: closed by either end, reset, refused, left half-closed."""
    listener = hosts.listen()
    for closes_first in (0, 1, 0):
        ends = hosts.connect(), listener.accept()[0]
        ends[0].sendall(b"x" * 50_000)
        ends[1].sendall(b"y" * 3000)
        time.sleep(0.05)
        for end in (ends[closes_first], ends[1 - closes_first]):
            end.recv(1 << 20)
            end.close()
            time.sleep(0.05)
    client, server = hosts.connect(), listener.accept()[0]
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    half = hosts.connect(), listener.accept()[0]
    half[0].shutdown(socket.SHUT_WR)
    listener.close()
    with pytest.raises(ConnectionRefusedError):
        hosts.connect()
    time.sleep(0.1)
    for each in (server, *half):
        each.close()
    time.sleep(0.2)


def assert_same_tables(expected: tcptrace.Trace, found: tcptrace.Trace) -> None:
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(expected, name), getattr(found, name))


@pytest.mark.live
def test_tables_of_a_live_capture_are_those_of_a_file(hosts: Veth, tmp_path: Path) -> None:
    """Real sockets' traffic, looked at all the while, ends in the tables of the same packets."""
    path = tmp_path / "same.pcap"
    with hosts.inside(0):
        source = Recorded(NAMES[0])
        source.record(path)
        live = Live(source, profile("linux"), interval=0.05)
        with live:
            threading.Thread(target=lambda: (play(hosts), source.stop())).start()
            updates = list(live)
    assert 6 == len(live.trace) and 5 < len(updates)
    assert_same_tables(tcptrace.read(path), live.trace)
    assert (live.counters.received, live.counters.dropped) == (live.trace.capture.packets, 0)


@pytest.mark.live
def test_updates_tell_every_move_of_a_live_connection(hosts: Veth) -> None:
    """What the updates told, the last word for each move, is the timeline."""
    with hosts.inside(0), tcptrace.sniff(NAMES[0], interval=0.02) as live:
        threading.Thread(target=lambda: (play(hosts), live.stop())).start()
        told: dict[tuple, str] = {}
        for update in live:
            for move in update.moves.to_dict("records"):
                key = (move["conn"], move["role"], move["state"], move["event"])
                if move["change"] == "taken_back":
                    assert told.pop(key)
                else:
                    told[key] = move["basis"]
    rows = live.trace.timeline
    rows = rows[rows["basis"] != "timer"]
    expected = {
        (row["conn"], row["role"], row["state"], row["event"]): row["basis"]
        for row in rows.to_dict("records")
    }
    assert expected.keys() == told.keys()


@pytest.mark.live
def test_a_vanished_interface_ends_the_iteration_with_an_error(hosts: Veth) -> None:
    """After the last update comes a CaptureError; what was seen is still there."""
    with hosts.inside(0), tcptrace.sniff(NAMES[0], interval=0.05) as live:
        play(hosts)
        updates = []
        hosts.run(0, f"link del {NAMES[0]}")
        with pytest.raises(CaptureError, match="tap0: the interface has vanished"):
            updates.extend(iter(live))
    assert 6 == len(live.trace)


@pytest.mark.live
def test_an_interface_that_goes_down_and_comes_up_again(hosts: Veth) -> None:
    """It is the same capture before and after."""
    with hosts.inside(0), tcptrace.sniff(NAMES[0]) as live:
        for host in (0, 1):
            hosts.run(host, f"link set {NAMES[host]} down")
        time.sleep(0.3)
        for host in (0, 1):
            hosts.run(host, f"link set {NAMES[host]} up")
        time.sleep(0.3)
        play(hosts)
        assert not live.ended
    assert 6 == len(live.trace)


@pytest.mark.live
def test_packets_are_taken_in_while_nobody_asks(hosts: Veth) -> None:
    """As in a notebook: started, left alone, asked once, and asked again."""
    with hosts.inside(0):
        live = tcptrace.sniff(NAMES[0]).start()
        play(hosts)
        assert 6 == len(live.trace)
        update = live.update()
        assert (6, 0) == (len(update.connections), len(live.update().moves))
        live.stop()
    assert update.counters.received == live.counters.received > 30


@pytest.mark.live
def test_a_filter_is_the_kernels(hosts: Veth) -> None:
    """What it does not let through is not even counted."""
    with hosts.inside(0), tcptrace.sniff(NAMES[0], filter="tcp port 1") as live:
        play(hosts)
    assert (0, 0) == (live.counters.received, len(live.trace))


@pytest.mark.live
def test_no_more_packets_than_asked_for(hosts: Veth) -> None:
    """`count` ends the capture by itself."""
    with hosts.inside(0), tcptrace.sniff(NAMES[0], count=5, interval=0.05) as live:
        play(hosts)
        assert live.update() is not None and list(live)
    assert 5 == live.trace.capture.packets


class Stepped(Paced):
    """A file's packets one by one, with a look at everything after each."""

    live: Live

    def batches(self) -> Iterator[Packets]:
        self._time = 0
        for packets in open_capture(self._source):
            for row in range(len(packets)):
                self._time = max(self._time, int(packets.time[row]))
                self.facts.count(packets.take(slice(row, row + 1)))
                yield packets.take(slice(row, row + 1))
                assert self.live.update().look.now == self._time

    def now(self) -> int:
        return self._time


@pytest.mark.parametrize("path", sorted(CAPTURES.glob("*/capture.*")), ids=lambda p: p.parent.name)
def test_however_often_it_is_looked_at_the_trace_is_that_of_the_file(path: Path) -> None:
    """A look after every packet leaves no mark on the tables."""
    source = Stepped(path, 1)
    source._source = path
    source.live = live = Live(source, profile("linux"), interval=60)
    with live:
        list(live)
    assert_same_tables(tcptrace.read(path), live.trace)


@pytest.fixture
def silent() -> Iterator[tuple[Live, Callable[[int], Update]]]:
    """A close that stalls after 9 packets, and what is told so many seconds after them."""
    (path,) = (CAPTURES / "fin_wait_2_stalled").glob("capture.*")

    class Silent(Paced):
        def now(self) -> int:
            return self.time

    source = Silent(path, 1)
    source._start = source.time = 0
    live = Live(source, profile("linux"), count=9)

    def told(seconds: int) -> Update:
        source.time = start + seconds * 1_000_000_000
        return live.update()

    source.time = 1 << 62
    with live:
        assert live._intake.ended.wait(5)
        start = int(live._intake.facts(None).end or 0)
        told(0)
        yield live, told


def test_time_passes_without_packets(silent: tuple[Live, Callable[[int], Update]]) -> None:
    """A close that stalls grows older from look to look, and becomes a finding, then a warning."""
    _, told = silent
    heard = []
    for seconds in (5, 12, 30, 50, 61, 90):
        news = told(seconds).anomalies
        stalls = news[news["code"] == "fin-wait-2-stalled"]
        heard.append((seconds, stalls["severity"].astype(str).tolist()))
    expected = {12: ["notice"], 61: ["warning"]}
    assert [(seconds, expected.get(seconds, [])) for seconds, _ in heard] == heard


def test_what_the_kernel_dropped_makes_findings_doubtful(
    silent: tuple[Live, Callable[[int], Update]],
) -> None:
    """They have reduced confidence, and say why; with nothing dropped they have not."""
    live, told = silent
    assert {"full"} == set(told(12).anomalies["confidence"])
    dropped = InterfaceFacts(1, dropped_by_system=5)
    live._intake.source.facts.interfaces.append(dropped)
    table = told(13).look.known.table
    assert "capture" in table["charged"].tolist()  # the drops are a finding themselves
    table = table[table["charged"] != "capture"]
    assert {"reduced"} == set(table["confidence"])
    assert table["limits"].str.contains("The capturing program dropped 5 packets.").all()


def test_what_it_says_of_itself(silent: tuple[Live, Callable[[int], Update]]) -> None:
    """In a line, and in a notebook as a table without markup of the capture's own."""
    live, told = silent
    update = told(12)
    assert f"<Update at {update.time:%H:%M:%S}: 0 moves, 2 findings>" == repr(update)
    assert "fin-wait-2-stalled" in update._repr_html_() and "<script" not in update._repr_html_()
    assert repr(live).endswith("capture.pcapng, ended: 20 packets>")


def test_a_timer_expires_on_the_clock(silent: tuple[Live, Callable[[int], Update]]) -> None:
    """The end of FIN_WAIT_2, which no packet shows, is told when its time has come."""
    _, told = silent
    assert "timer" not in told(59).moves["basis"].tolist()
    moves = told(63).moves
    timed = moves[moves["basis"] == "timer"]
    assert [("FIN_WAIT_2", "CLOSED")] == list(zip(timed["left"], timed["state"], strict=True))


def test_a_fault_in_the_intake_is_not_swallowed() -> None:
    """Whatever ends the thread ends the iteration, with the same exception."""

    class Broken(Paced):
        def batches(self) -> Iterator[Packets]:
            raise ZeroDivisionError

    (path,) = (CAPTURES / "abort").glob("capture.*")
    live = Live(Broken(path, 1), profile("linux"), interval=0.01)
    with live, pytest.raises(ZeroDivisionError):
        list(live)


def test_what_makes_no_sense() -> None:
    """Profile, count and interface are checked before anything is opened."""
    with pytest.raises(UsageError, match="profile"):
        tcptrace.sniff("lo", profile="beos")
    with pytest.raises(UsageError, match="count"):
        tcptrace.sniff("lo", count=0)
    with pytest.raises(CaptureError, match="nowhere0: no such interface; there are"):
        tcptrace.sniff("nowhere0")
