"""Pins how addresses are written."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tcptrace.tables.addresses import Addresses, address
from tests.tables.written import halves


@given(st.lists(st.ip_addresses()))
def test_every_address_is_written_as_the_standard_library_does(
    found: list[IPv4Address | IPv6Address],
) -> None:
    """Each distinct address appears once, and each place points to its own."""
    pairs = np.array([halves(str(each)) for each in found], np.int64).reshape(-1, 2)
    addresses = Addresses.of(pairs[:, 0], pairs[:, 1])
    assert [written(each) for each in found] == [addresses.names[k] for k in addresses.places]
    assert len(set(addresses.names)) == len(addresses.names)


def written(each: IPv4Address | IPv6Address) -> str:
    """An IPv4 address stands as ::ffff:a.b.c.d in the columns, so the two are one."""
    mapped = getattr(each, "ipv4_mapped", None)
    return str(mapped or each)


def test_halves_may_be_signed() -> None:
    """The columns are int64, so the upper half of most IPv6 addresses is negative."""
    assert "fe80::1" == address(-(0x0180 << 48), 1)
    assert "10.0.0.1" == address(0, 0xFFFF0A000001)
