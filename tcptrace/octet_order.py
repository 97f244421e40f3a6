"""`big_32`, `little_32`: four octets as a number, in the one form that compilers see through.

GCC makes one load, and one swap if need be, of shifts and ors of octets that lie at fixed
distances from one pointer. `octet_order.pxd` has that for compiled kernels, by hand: they pass the
address of the first octet. What is here is an interpreter's.
"""

from __future__ import annotations


def big_32(octets: memoryview) -> int:
    """The first four octets, which must be there, the first of them the highest."""
    return int.from_bytes(octets[:4], "big")


def little_32(octets: memoryview) -> int:
    """The first four octets, which must be there, the first of them the lowest."""
    return int.from_bytes(octets[:4], "little")
