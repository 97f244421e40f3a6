"""tcpdump's filter language on batches of packets."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest

from tcptrace.errors import UsageError
from tcptrace.sources import filter as filters
from tcptrace.sources.filter import Filter
from tcptrace.sources.packets import Packets
from tests.sources.crafted import T0, Told, pcap, read, written

# Ethernet and IPv4 from 10.0.0.1 to 10.0.0.2, TCP from port 1000 to 443, SYN.
IPV4 = bytes.fromhex("45000028000100004006000a0a0000010a000002")
TCP = bytes.fromhex("03e801bb0000000000000000500220000000 0000")
ETHERNET = bytes(12) + b"\x08\x00"


def batch(folder: Path, *packets: bytes, network: int = 1) -> Packets:
    told = [Told(T0, octets) for octets in packets]
    return read(written(folder, pcap(told, network=network)))[0]


def test_accepted_packets_stay(tmp_path: Path) -> None:
    """In their order, with their bytes and numbers."""
    syn, other = ETHERNET + IPV4 + TCP, bytes(60)
    packets = batch(tmp_path, other, syn, other, syn)
    kept = Filter("tcp port 443 and tcp[tcpflags] & tcp-syn != 0").apply(packets)
    assert [2, 4] == kept.number.tolist()
    assert syn == kept.packet_bytes(1)
    assert 0 == len(Filter("udp").apply(packets))
    assert packets is Filter("").apply(packets)


def test_one_filter_on_several_link_types(tmp_path: Path) -> None:
    """Each link type has its own program; raw IP has another number in libpcap."""
    cooked = bytes(14) + b"\x08\x00" + IPV4 + TCP
    parts = [
        batch(tmp_path, ETHERNET + IPV4 + TCP),
        batch(tmp_path, IPV4 + TCP, network=101),
        batch(tmp_path, cooked, network=113),
        batch(tmp_path, b"\2\0\0\0" + IPV4 + TCP, network=0),
        batch(tmp_path, bytes(60)),
    ]
    assert 4 == len(Filter("src host 10.0.0.1 and dst port 443").apply(Packets.concat(parts)))


def test_wrong_expression_is_told_in_libpcaps_words() -> None:
    """At once, before any packet is read."""
    for wrong in ("tcp port", "port 443 and", "nonsense", "host 10.0.0.300", "tcp[foo] = 1"):
        with pytest.raises(UsageError, match="filter '") as raised:
            Filter(wrong)
        assert "link type 1: " in str(raised.value)


def test_filter_for_one_link_type_only(tmp_path: Path) -> None:
    """A filter for 802.11 is good, but not for packets of Ethernet."""
    wireless = Filter("wlan type mgt")
    with pytest.raises(UsageError, match="link type 1: "):
        wireless.apply(batch(tmp_path, bytes(60)))


def test_missing_libpcap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""

    def missing(name: str) -> None:
        raise OSError(name)

    filters._libpcap.cache_clear()
    monkeypatch.setattr(ctypes, "CDLL", missing)
    try:
        with pytest.raises(UsageError, match="apt-get install libpcap"):
            Filter("tcp")
    finally:
        filters._libpcap.cache_clear()


EXPRESSIONS = {
    "zeek_ssh_ssh.pcap": "port 22 and tcp[tcpflags] & tcp-syn != 0",
    "ndpi_6in4tunnel.pcap": "ip proto 41 and greater 100",
    "zeek_ftp_ipv6.pcap": "ip6 protochain 6 and tcp port 21",
    "zeek_Traces_vlan-collisions.pcap": "vlan and tcp",
    "suricata_tcp-fastopen-10-syn-data-ignore_input.pcap": "tcp port 80 or len <= 60",
    "suricata_security-4710-01_input.pcap": "src host 10.0.0.1 or tcp[13] * 3 / 2 > 5",
    "zeek_tls_pop3-starttls.pcap": "tcp port 110 and ip[2:2] - ((ip[0] & 0xf) << 2) > 40",
}


@pytest.mark.skipif(shutil.which("tcpdump") is None, reason="tcpdump is not installed")
@pytest.mark.parametrize("name", EXPRESSIONS)
def test_as_many_packets_as_tcpdump(shared: Path, name: str) -> None:
    """On captures by other hands."""
    path = str(shared / "corpus" / name)
    command = ["tcpdump", "-nr", path, "--count", EXPRESSIONS[name]]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    kept = Filter(EXPRESSIONS[name]).apply(read(path)[0])
    assert int(run.stdout.split()[0]) == len(kept) > 0
