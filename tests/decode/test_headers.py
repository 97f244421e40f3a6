"""The literals that say what follows what."""

from __future__ import annotations

from tcptrace.decode.headers import AFTER_IP, FIRST_HEADERS, GROUP_BITS, Header, dense
from tcptrace.decode.link_types import LINK_TYPE_NAMES, LINK_TYPES
from tcptrace.decode.protocols import IpProtocol


def test_every_link_type_has_a_header() -> None:
    """A link type in the literal is one that a kernel reads."""
    assert set(LINK_TYPES) == set(FIRST_HEADERS)
    assert len(LINK_TYPES) == len(LINK_TYPE_NAMES), "no number twice"


def test_headers_are_distinct() -> None:
    """IntEnum would make two names of one number aliases."""
    assert len(Header) == len(Header.__members__)
    assert {header >> GROUP_BITS for header in Header} == set(range(7))


def test_dense_is_the_literal() -> None:
    """Every row of the literal at its place, the default in the holes."""
    table = dense(AFTER_IP, 256)
    assert 256 == len(table)
    for number in range(256):
        assert AFTER_IP.get(number, Header.SKIPPED) == table[number]
    assert Header.TCP == table[IpProtocol.TCP]
    assert Header.UNUSUAL == dense({}, 3, Header.UNUSUAL)[2]
