# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""Kernel: `Octets`, numbers of several octets out of a buffer, after one check of its bounds. ⚙

Bounds are checked once for all octets that are read, and not by the compiler for each of them:
so a number is one load and one swap of its octets. The methods are in octets.pxd, too (see
tests/declarations.py), so that Cython can inline them into the kernels of subclasses.
"""

from __future__ import annotations

import cython

if not cython.compiled:
    from tcptrace.octet_order import big_32


@cython.cclass
class Octets:
    """A buffer. `u16` and `u32` may be asked for any offset, `next_32` only after `has`."""

    data: cython.const[cython.uchar][::1]

    def __init__(self, data: cython.const[cython.uchar][::1]) -> None:
        self.data = data

    if not cython.compiled:

        @cython.final
        @cython.cfunc
        @cython.inline
        @cython.nogil
        @cython.exceptval(check=False)
        def has(self, at: cython.Py_ssize_t, count: cython.Py_ssize_t) -> cython.bint:
            """Whether the buffer has so many octets from an offset on."""
            return 0 <= at <= self.data.shape[0] - count

        @cython.final
        @cython.cfunc
        @cython.inline
        @cython.nogil
        @cython.exceptval(check=False)
        def next_32(self, at: cython.Py_ssize_t) -> cython.longlong:
            """Four octets in network order, which the buffer must have."""
            if cython.compiled:
                return big_32(cython.address(self.data[at]))
            return big_32(self.data[at : at + 4])

        @cython.final
        @cython.cfunc
        @cython.inline
        @cython.nogil
        @cython.exceptval(check=False)
        def u16(self, at: cython.Py_ssize_t) -> cython.longlong:
            """Two octets in network order; -1 if the buffer has not both."""
            if not self.has(at, 2):
                return -1
            return self.data[at] << 8 | self.data[at + 1]

        @cython.final
        @cython.cfunc
        @cython.inline
        @cython.nogil
        @cython.exceptval(check=False)
        def u32(self, at: cython.Py_ssize_t) -> cython.longlong:
            """Four octets in network order; -1 if the buffer has not all of them."""
            return self.next_32(at) if self.has(at, 4) else -1
