"""Classic pcap in every byte order and layout, made byte by byte and by dpkt."""

from __future__ import annotations

import io
from pathlib import Path

import dpkt
import pytest

from tcptrace.errors import CaptureError
from tests.sources.crafted import (
    SECOND,
    SOME,
    T0,
    Told,
    as_told,
    expected,
    pcap,
    read,
    written,
)

FDDI = 10
NANOSECONDS = 0xA1B23C4D
MODIFIED = 0xA1B2CD34
IXIA_HARDWARE, IXIA_SOFTWARE = 0x1C0001AC, 0x1C0001AB
# Interface index, protocol (IPv4), packet type and padding of a patched record header.
PATCHED = b"\x02\0\0\0\0\x08\x00\0"


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("kind", "crafted"),
    [
        ("pcap", {}),
        ("pcap-ns", {"magic": NANOSECONDS, "unit": 1}),
        ("pcap-modified", {"magic": MODIFIED, "after": b"\0\0\0\x01\x08\0\0\0"}),
        ("pcap-ixia-hardware", {"magic": IXIA_HARDWARE, "unit": 1, "extra": b"\0\0\1\0"}),
        ("pcap-ixia-software", {"magic": IXIA_SOFTWARE, "extra": b"\0\0\1\0"}),
        ("pcap", {"version": (2, 2), "lengths_swapped": True}),
        ("pcap", {"version": (543, 0), "lengths_swapped": True}),
        ("pcap", {"version": (2, 3)}),
        ("pcap", {"version": (2, 3), "lengths_swapped": True}),
        ("pcap-aix", {"version": (2, 2), "network": 6, "unit": 1, "lengths_swapped": True}),
    ],
)
def test_every_kind_in_both_byte_orders(
    tmp_path: Path, order: str, kind: str, crafted: dict
) -> None:
    """Times, lengths and octets come out as they were written."""
    if kind == "pcap-modified":
        crafted = {**crafted, "after": (PATCHED if order == "<" else b"\0\0\0\2\x08\0\0\0")}
    packets, capture = read(written(tmp_path, pcap(SOME, order=order, **crafted)))
    assert expected(SOME) == as_told(packets)
    assert kind == capture.files[0].format
    assert {1} == capture.files[0].link_types
    assert [1, 2, 3, 4] == packets.number.tolist()
    assert capture.files[0].truncated_at is None


def test_aix_pads_fddi_packets(tmp_path: Path) -> None:
    """Three octets before each FDDI packet are no part of it; version 2.2's interface type 15."""
    crafted = pcap(SOME, version=(2, 2), network=15, unit=1, lengths_swapped=True, before=b"\0\0\0")
    packets, _ = read(written(tmp_path, crafted))
    assert expected(SOME) == as_told(packets)
    assert [FDDI] * 4 == packets.link_type.tolist()


@pytest.mark.parametrize(
    ("kind", "magic", "after"),
    [
        ("pcap-ss990417", 0xA1B2C3D4, PATCHED),
        ("pcap-nokia", 0xA1B2C3D4, b"\x01\xb6\xbf\x9f"),
        ("pcap-ss990915", MODIFIED, PATCHED + b"\0\0\0\0"),
    ],
)
def test_variants_without_a_magic_of_their_own(
    tmp_path: Path, kind: str, magic: int, after: bytes
) -> None:
    """The longer record headers of three old patches are found by trying."""
    packets, capture = read(written(tmp_path, pcap(SOME, magic=magic, after=after)))
    assert kind == capture.files[0].format
    assert expected(SOME) == as_told(packets)


def test_frame_check_sequence_bits_are_no_link_type(tmp_path: Path) -> None:
    """The upper bits of the network field tell the FCS length: Ethernet with 32 bits."""
    packets, capture = read(written(tmp_path, pcap(SOME, network=0x24000001)))
    assert [1] * 4 == packets.link_type.tolist()
    assert 32 == capture.files[0].interfaces[0].fcs_bits


def test_fraction_of_a_second_or_more_is_added_and_counted(tmp_path: Path) -> None:
    """An invalid fraction is kept as it stands, and told."""
    crafted = bytearray(pcap([Told(T0, b"x"), Told(T0, b"y")]))
    crafted[28:32] = (2_500_000).to_bytes(4, "little")
    packets, capture = read(written(tmp_path, bytes(crafted)))
    assert [T0 + 2 * SECOND + SECOND // 2, T0] == packets.time.tolist()
    assert 1 == capture.files[0].invalid_times


def test_seconds_are_unsigned(tmp_path: Path) -> None:
    """Times after 2038 come after those before, up to 2106."""
    late = [Told(((1 << 32) - 1) * SECOND, b"x")]
    packets, _ = read(written(tmp_path, pcap(late)))
    assert expected(late) == as_told(packets)


def test_header_without_packets_is_a_capture(tmp_path: Path) -> None:
    """No packets, no complaint."""
    packets, capture = read(written(tmp_path, pcap([])))
    assert 0 == len(packets)
    assert 0 == capture.files[0].packets
    assert capture.files[0].truncated_at is None


def test_version_1_is_refused(tmp_path: Path) -> None:
    """Nobody knows its layout."""
    with pytest.raises(CaptureError, match=r"at byte 4: expected pcap version 2, not 1\.4"):
        read(written(tmp_path, pcap(SOME, version=(1, 4))))


@pytest.mark.parametrize("crafted", [{}, {"magic": IXIA_HARDWARE, "extra": b"\0\0\0\1"}])
def test_cut_header_is_refused(tmp_path: Path, crafted: dict) -> None:
    """A file that ends within its header has nothing to read by."""
    whole = pcap([], **crafted)
    for size in range(12, len(whole)):
        with pytest.raises(CaptureError, match="header"):
            read(written(tmp_path, whole[:size]))


def test_absurd_first_length_is_no_capture(tmp_path: Path) -> None:
    """As Wireshark does: damage before the first packet is an error."""
    crafted = pcap([Told(T0, b"x")])[:32] + (1 << 30).to_bytes(4, "little") * 2
    with pytest.raises(CaptureError, match="at byte 24: expected a captured length up to 262144"):
        read(written(tmp_path, crafted))


def test_absurd_length_later_ends_the_reading(tmp_path: Path) -> None:
    """What came before it is kept, and the facts say where and why it ended."""
    good = pcap(SOME)
    crafted = good + pcap([Told(T0, b"x")])[24:32] + (1 << 30).to_bytes(4, "little") * 2
    packets, capture = read(written(tmp_path, crafted + bytes(100)))
    assert expected(SOME) == as_told(packets)
    assert len(good) == capture.files[0].truncated_at
    assert f"at byte {len(good)}: expected a captured length" in capture.files[0].damage


def test_what_dpkt_writes(tmp_path: Path) -> None:
    """An independent writer, microseconds and nanoseconds."""
    for nano in (False, True):
        file = io.BytesIO()
        writer = dpkt.pcap.Writer(file, nano=nano, snaplen=65535)
        for told in SOME:
            writer.writepkt(told.octets, told.time / SECOND)
        packets, capture = read(written(tmp_path, file.getvalue()))
        assert [told.octets for told in SOME] == [told.octets for told in as_told(packets)]
        assert ("pcap-ns" if nano else "pcap") == capture.files[0].format
        # dpkt goes through a float, which is good to a microsecond here.
        assert [told.time // 10_000 for told in SOME] == (packets.time // 10_000).tolist()
