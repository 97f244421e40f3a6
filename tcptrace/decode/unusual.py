"""Link types that no kernel knows, through scapy: one packet at a time, slow, counted."""

from __future__ import annotations

from functools import cache
from typing import Any


def ip_octets(link_type: int, packet: bytes) -> bytes | None:
    """The first IP header that scapy finds in a packet, with all behind it; None without one.

    Rebuilt, not cut out: link types such as 802.15.4 carry headers compressed (RFC 6282).
    """
    known, versions = _scapy()
    layer = known.get(link_type)
    if layer is None:
        return None
    try:
        decoded = layer(packet)
        found = next((decoded[version] for version in versions if version in decoded), None)
        return None if found is None else bytes(found)
    except Exception:  # scapy's dissectors raise whatever damaged octets make them raise
        return None


@cache
def _scapy() -> tuple[dict[int, Any], tuple[Any, ...]]:
    """scapy's classes by link type, and those of IP; it takes a second to load."""
    import scapy.layers.all  # noqa: F401
    from scapy.config import conf
    from scapy.layers.inet import IP
    from scapy.layers.inet6 import IPv6

    if not conf.dot15d4_protocol:  # what scapy takes then, with a warning to stderr for each packet
        conf.dot15d4_protocol = "sixlowpan"  # type: ignore[assignment]
    return dict(conf.l2types.num2layer), (IP, IPv6)
