# cython: boundscheck=True, wraparound=False, initializedcheck=False
"""`Pages` ⚙: octets in short pages that lead to each other, and a free list of those without any.

However many connections are packed, they are one array: no Python object for each, and nothing
that would need the interpreter's lock but its growth.
"""

from __future__ import annotations

import cython
import numpy as np

from tcptrace.tracker.slots import Keeping

PAGE = cython.declare(cython.Py_ssize_t, Keeping.PAGE)  # octets, those of the link included
LINK = cython.declare(cython.Py_ssize_t, 4)
SHIFT = cython.declare(cython.int, Keeping.PAGE.bit_length() - 1)  # from an octet to its page
TO_LINK = cython.declare(cython.int, SHIFT - 2)  # from a page to its link
LEAST = cython.declare(cython.Py_ssize_t, 1024)


@cython.final
@cython.cclass
class Pages:
    """Pages by their number; a place among the `octets` is `PAGE * page + LINK` at least.

    links : of each page the one after it, -1 for none, each where its page begins
    """

    matrix: object
    octets: cython.uchar[::1]
    links: cython.int[::1]
    free: cython.longlong

    def __init__(self) -> None:
        self.matrix = np.zeros((0, PAGE), np.uint8)
        self.free = -1

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def begin(self) -> cython.Py_ssize_t:
        """Where the octets of a page begin that was free; none comes after it."""
        if self.free < 0:
            with cython.gil:
                self._grow()
        page: cython.Py_ssize_t = self.free
        self.free = self.links[page << TO_LINK]
        self.links[page << TO_LINK] = -1
        return (page << SHIFT) + LINK

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def go_on(self, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Where octets are written on that fill a page up to its `end`: in another one after it."""
        at: cython.Py_ssize_t = self.begin()
        self.links[(end - 1 >> SHIFT) << TO_LINK] = at >> SHIFT
        return at

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def after(self, end: cython.Py_ssize_t) -> cython.Py_ssize_t:
        """Where octets are read on that fill a page up to its `end`; at least one must follow."""
        page: cython.Py_ssize_t = self.links[(end - 1 >> SHIFT) << TO_LINK]
        return (page << SHIFT) + LINK

    @cython.ccall
    @cython.nogil
    @cython.exceptval(-1)
    def let_go(self, at: cython.Py_ssize_t) -> cython.int:
        """Free the page where octets begin at `at`, and all that come after it."""
        first: cython.Py_ssize_t = at >> SHIFT
        last: cython.Py_ssize_t = first
        while self.links[last << TO_LINK] >= 0:
            last = self.links[last << TO_LINK]
        self.links[last << TO_LINK] = self.free
        self.free = first
        return 0

    def _grow(self) -> None:
        size: cython.Py_ssize_t = len(self.matrix)
        larger: cython.Py_ssize_t = size + max(LEAST, size // 8)
        # In place: the system moves a large array's pages, and nothing else ever holds a view.
        self.octets = self.links = None
        self.matrix.resize((larger, PAGE), refcheck=False)
        self.octets = memoryview(self.matrix.reshape(-1))
        self.links = memoryview(self.matrix.reshape(-1).view(np.int32))
        following = self.matrix.view(np.int32)[:, 0]
        following[size:] = np.arange(size + 1, larger + 1)
        following[larger - 1] = -1
        self.free = size
