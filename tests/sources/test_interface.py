"""Listening to interfaces of our own: link types, tags, filters, counters, refusals."""

from __future__ import annotations

import os
import re
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from veth import ADDRESSES, NAMES, Veth, two_hosts

from tcptrace.decode.decoder import Decoder
from tcptrace.errors import CaptureError, UsageError
from tcptrace.sources.interface import ANY, Interface, interfaces
from tcptrace.sources.packets import Packets

ETHERNET = 1
SEGMENT = bytes.fromhex(  # IPv4 and TCP: a SYN from 192.0.2.1:1000 to 192.0.2.2:80
    "45000028000040004006b6cac0000201c000020203e80050000000010000000050022000000000000"[:-1]
)


@pytest.fixture
def hosts() -> Iterator[Veth]:
    with two_hosts() as pair:
        yield pair


def heard(source: Interface, speak: object) -> list[Packets]:
    """The batches that come while something is said, and shortly after."""
    speak()  # type: ignore[operator]
    threading.Timer(0.3, source.stop).start()
    batches = list(source.batches())
    source.close()
    return batches


def frames(hosts: Veth, *headers: str) -> None:
    """Send the segment from host 1 behind each of these Ethernet headers."""
    with hosts.inside(1):
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        made.bind((NAMES[1], 0))
        for header in headers:
            made.send(bytes(12) + bytes.fromhex(header) + SEGMENT.ljust(46, b"\0"))
        made.close()


@pytest.mark.live
def test_numbers_times_and_facts(hosts: Veth) -> None:
    """Packets are numbered from 1, stamped by the system's clock, and counted."""
    with hosts.inside(0):
        source = Interface(NAMES[0], buffer=1 << 20)
        before = source.now()
        (packets,) = heard(source, lambda: frames(hosts, "0800", "0800"))
    assert ([1, 2], [ETHERNET] * 2) == (packets.number.tolist(), packets.link_type.tolist())
    assert before <= packets.time[0] <= packets.time[1] <= source.now()
    counters, facts = source.counters(), source.facts
    assert (2, 0, 2) == (counters.received, counters.dropped, facts.packets)
    assert (NAMES[0], 0) == (facts.interfaces[0].name, facts.interfaces[0].dropped_by_system)
    assert 1 << 20 == source.buffer


@pytest.mark.live
def test_by_default_tcp_with_any_number_of_tags(hosts: Veth) -> None:
    """A tag that the kernel took out is put back, and one inside it is looked behind."""
    tagged = ("0800", "81000005" + "0800", "88a80006" + "81000007" + "0800")
    with hosts.inside(0):
        batches = heard(Interface(NAMES[0]), lambda: frames(hosts, *tagged, "0806"))
    octets = [b.packet_bytes(row) for b in batches for row in range(len(b))]
    assert [bytes.fromhex(header) for header in tagged] == [
        each[12 : 12 + len(header) // 2] for each, header in zip(octets, tagged, strict=True)
    ]
    decoder = Decoder()
    assert 3 == sum(len(decoder.feed(batch)) for batch in batches)


@pytest.mark.live
def test_by_default_the_icmp_errors_about_tcp(hosts: Veth) -> None:
    """An error that quotes TCP is taken in, one that quotes UDP is not."""
    about = {protocol: SEGMENT[:9] + bytes((protocol,)) + SEGMENT[10:] for protocol in (6, 17)}

    def speak() -> None:
        with hosts.inside(1):
            made = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
            for quoted in about.values():
                made.sendto(struct.pack("!BBHI", 3, 1, 0, 0) + quoted, (ADDRESSES[0], 0))
            made.close()

    with hosts.inside(0):
        batches = heard(Interface(NAMES[0]), speak)
    assert [6] == [b.packet_bytes(row)[14 + 20 + 8 + 9] for b in batches for row in range(len(b))]


@pytest.mark.live
@pytest.mark.parametrize("expression", ["vlan 5", "vlan 5 and tcp port 80"])
def test_a_filter_that_looks_for_tags(hosts: Veth, expression: str) -> None:
    """The kernel's filter cannot see the tag that it took out; ours can."""
    with hosts.inside(0):
        source = Interface(NAMES[0], filter=expression)
        batches = heard(source, lambda: frames(hosts, "0800", "810000050800", "810000060800"))
    assert [5] == [b.packet_bytes(row)[15] for b in batches for row in range(len(b))]


@pytest.mark.live
def test_any_is_all_interfaces(hosts: Veth) -> None:
    """Each packet says which interface it came through; the loopback's come once."""

    def speak() -> None:
        frames(hosts, "0800")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            socket.create_connection(listener.getsockname()).close()

    with hosts.inside(0):
        batches = heard(Interface(ANY), speak)
        indices = {socket.if_nametoindex("lo"), socket.if_nametoindex(NAMES[0])}
    packets = Packets.concat(batches)
    assert indices == set(packets.interface.tolist())
    syns = [packets.packet_bytes(row)[47] & 0x12 == 0x02 for row in range(len(packets))]
    assert 2 == sum(syns)


@pytest.mark.live
def test_no_more_octets_than_asked_for(hosts: Veth) -> None:
    """The snap length is the kernel's to keep; the packet's own length is told."""
    with hosts.inside(0):
        source = Interface(NAMES[0], snap_length=40)
        (packets,) = heard(source, lambda: frames(hosts, "0800"))
    assert ([40], [60]) == (packets.captured.tolist(), packets.length.tolist())


@pytest.mark.live
def test_interfaces_that_cannot_be_listened_to(hosts: Veth) -> None:
    """One that is down, and one that is not there, are told with what to do."""
    with hosts.inside(0):
        hosts.run(0, f"link set {NAMES[0]} down")
        with pytest.raises(CaptureError, match="the interface is down: ip link set tap0 up"):
            Interface(NAMES[0])
        with pytest.raises(CaptureError, match=r"no such interface; there are lo, tap0, any$"):
            Interface("eth7")
        assert [("lo", True), (NAMES[0], False), (ANY, True)] == interfaces()


@pytest.mark.live
def test_a_filter_that_is_wrong(hosts: Veth) -> None:
    """It is told in libpcap's words."""
    with hosts.inside(0), pytest.raises(UsageError, match="syntax error"):
        Interface(NAMES[0], filter="tcp port port")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody without its rights")
def test_without_the_right() -> None:
    """One line says what to run; capabilities of the interpreter are no advice."""
    script = (
        "import scapy.arch.linux\n"
        "from tcptrace.errors import CaptureError\n"
        "from tcptrace.sources import interface, privileges\n"
        "privileges.become('nobody')\n"
        "try: interface.Interface('lo')\nexcept CaptureError as error: print(error)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    expected = (
        "lo: listening needs root or CAP_NET_RAW: run sudo tcptrace live -i lo, "
        "or sudo tcpdump -i lo -U -w - tcp | tcptrace live -\n"
    )
    assert expected == run.stdout
    assert not re.search("setcap", run.stdout)
