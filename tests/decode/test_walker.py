"""Pins what every walk does: whose rows it takes, when it stops, and what they are told."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

from tcptrace.decode.datagrams import MAX_DEPTH, Datagrams
from tcptrace.decode.headers import END_GROUP, GROUP_BITS, Header
from tcptrace.decode.skipped import Reason

OCTETS = memoryview(bytes(64))


@pytest.fixture
def walked(kernel: Callable[[str], ModuleType]) -> Callable[[Datagrams], int]:
    """A walk of the group of UDP by a Walker that knows none of its headers."""

    def walk(rows: Datagrams) -> int:
        reasons = int(Reason.TRUNCATED_TUNNEL), int(Reason.UDP)
        walker = kernel("tcptrace.decode.walker").Walker(
            rows.cells, OCTETS, int(Header.TEREDO), *reasons
        )
        return int(walker.run())

    return walk


def rows_at(*headers: Header, **columns: int) -> Datagrams:
    """A row at each header, the columns as given."""
    rows = Datagrams.zeros(len(headers))
    rows.header[:] = headers
    for name, value in columns.items():
        getattr(rows, name)[:] = value
    return rows


def test_rows_of_other_groups_stay(walked: Callable[[Datagrams], int]) -> None:
    """Only rows at a header of the group are touched, and only they are in the bits."""
    rows = rows_at(Header.ETHERNET, Header.TCP, Header.GRE, at=3, kept_end=9, end=12)
    before = rows.matrix.copy()
    assert 0 == walked(rows)
    assert before.tolist() == rows.matrix.tolist()


def test_every_row_of_the_group_is_walked_out_of_it(walked: Callable[[Datagrams], int]) -> None:
    """First and last row too; the bit is that of the group where they are left."""
    rows = rows_at(Header.UDP, Header.ETHERNET, Header.VXLAN, at=3, kept_end=9, end=12)
    assert 1 << (Header.SKIPPED >> GROUP_BITS) == walked(rows)
    assert Header.SKIPPED >> GROUP_BITS >= END_GROUP
    assert [Header.SKIPPED, Header.ETHERNET, Header.SKIPPED] == rows.header.tolist()
    assert [Reason.UDP, 0, Reason.UDP] == rows.value.tolist()
    assert [1, 0, 1] == rows.depth.tolist()
    assert [(3, 9, 12)] * 3 == list(zip(rows.at, rows.kept_end, rows.end, strict=True))


def test_no_rows(walked: Callable[[Datagrams], int]) -> None:
    """Nothing to walk leaves nothing anywhere."""
    assert 0 == walked(Datagrams.zeros(0))


@pytest.mark.parametrize(
    ("depth", "reason"), [(MAX_DEPTH - 1, Reason.UDP), (MAX_DEPTH, Reason.TOO_DEEP)]
)
def test_depth_is_limited(walked: Callable[[Datagrams], int], depth: int, reason: Reason) -> None:
    """A row may step over MAX_DEPTH headers, whichever kernels it met on its way."""
    rows = rows_at(Header.UDP, depth=depth)
    walked(rows)
    assert [reason] == rows.value.tolist()


@pytest.mark.parametrize("depth", [0, MAX_DEPTH])
def test_quoted_rows_count_as_icmp(walked: Callable[[Datagrams], int], depth: int) -> None:
    """What an ICMP error quotes, and gives no segment, is skipped as that error."""
    rows = rows_at(Header.UDP, icmp=0x0301, depth=depth)
    walked(rows)
    assert [Reason.ICMP] == rows.value.tolist()
