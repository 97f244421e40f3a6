"""What a picture is made from."""

from __future__ import annotations

import pytest

from tcptrace.tables.wording import MILLISECOND
from tcptrace.views.scene import UNKNOWN
from tests.exchange import OPEN, START
from tests.views.scenes import DATA, ORDERLY, REFUSED, captured, scene


def test_delays_are_half_the_round_trips() -> None:
    """From the tap to either side, by the handshake."""
    assert (10 * MILLISECOND, 10 * MILLISECOND) == scene(ORDERLY).delays


def test_delays_without_a_handshake() -> None:
    """By what the moves were dated by; not known where nothing was dated."""
    assert all(delay >= UNKNOWN for delay in scene(DATA).delays)
    assert (0, 0) == scene(REFUSED).delays


@pytest.mark.parametrize("case", ["ipv6_close"])
def test_endpoints_by_address_and_port(case: str) -> None:
    """IPv6 in brackets."""
    assert ("[2001:db8::1]:40080", "[2001:db8::2]:8080") == captured(case).endpoints


def test_times_are_told_from_the_first_packet() -> None:
    """Not from the first move, which the tap did not see."""
    assert START == scene(OPEN).start
