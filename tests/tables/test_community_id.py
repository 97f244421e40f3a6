"""Pins Community ID to published vectors and to the specification in its plainest form."""

from __future__ import annotations

import hashlib
import struct
from base64 import b64encode
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tcptrace.tables.community_id import community_ids
from tcptrace.tracker.transitions import Connections

End = tuple[str, int]

# From corelight's reference implementations and from Zeek's own test of community_id_v1.
PUBLISHED = [
    (("128.232.110.120", 34855), ("66.35.250.204", 80), "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    (("1.2.3.4", 1122), ("5.6.7.8", 3344), "1:wCb3OG7yAFWelaUydu0D+125CLM="),
    (
        ("2001:470:e5bf:dead:4957:2174:e82c:4887", 63943),
        ("2607:f8b0:400c:c03::1a", 25),
        "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=",
    ),
]


def connections(*pairs: tuple[End, End]) -> Connections:
    rows = Connections.zeros(len(pairs))
    for row, ends in enumerate(pairs):
        for role, (ip, port) in zip(("orig", "resp"), ends, strict=True):
            upper, lower = halves(ip)
            getattr(rows, f"{role}_hi")[row] = upper
            getattr(rows, f"{role}_lo")[row] = lower
            getattr(rows, f"{role}_port")[row] = port
    return rows


def names(rows: Connections) -> list[str]:
    return community_ids(rows).astype(str).tolist()


def halves(ip: str) -> tuple[int, int]:
    """Signed, as the columns hold them."""
    address = ip_address(ip)
    number = int(address) | (0xFFFF << 32 if isinstance(address, IPv4Address) else 0)
    return struct.unpack(">qq", number.to_bytes(16, "big"))


def by_the_specification(one: End, two: End) -> str:
    """Written from the specification's pseudo code, over text addresses."""
    first, second = sorted((ip_address(ip).packed, port) for ip, port in (one, two))
    hashed = struct.pack(">H", 0) + first[0] + second[0] + struct.pack(">BB", 6, 0)
    digest = hashlib.sha1(hashed + struct.pack(">HH", first[1], second[1])).digest()
    return "1:" + b64encode(digest).decode()


@pytest.mark.parametrize(("orig", "resp", "expected"), PUBLISHED)
def test_published_vectors(orig: End, resp: End, expected: str) -> None:
    """Whoever began the connection."""
    assert [expected, expected] == names(connections((orig, resp), (resp, orig)))


ports = st.integers(0, 65535)
four = st.tuples(st.integers(0, (1 << 32) - 1).map(lambda n: str(IPv4Address(n))), ports)
# An address below 1 << 48 might be an IPv4 one in IPv6 form.
six = st.tuples(st.integers(1 << 48, (1 << 128) - 1).map(lambda n: str(IPv6Address(n))), ports)


@given(st.lists(st.tuples(four, four) | st.tuples(six, six), max_size=8))
def test_any_mixture_of_connections(pairs: list[tuple[End, End]]) -> None:
    """IPv4 and IPv6 in one table, in its order."""
    expected = [by_the_specification(*pair) for pair in pairs]
    assert expected == names(connections(*pairs))


def test_both_ends_on_one_host() -> None:
    """The ports decide which end comes first."""
    pair = (("127.0.0.1", 40000), ("127.0.0.1", 80))
    expected = by_the_specification(*pair)
    assert [expected, expected] == names(connections(pair, pair[::-1]))
