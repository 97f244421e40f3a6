# cython: boundscheck=False, wraparound=False, initializedcheck=False
# Made by tests/declarations.py from octets.py.
cimport cython
from tcptrace.octet_order cimport big_32


cdef class Octets:
    cdef const unsigned char[::1] data

    @cython.final
    cdef inline bint has(self, Py_ssize_t at, Py_ssize_t count) noexcept nogil:
        return 0 <= at <= self.data.shape[0] - count
    @cython.final
    cdef inline long long next_32(self, Py_ssize_t at) noexcept nogil:
        if cython.compiled:
            return big_32(cython.address(self.data[at]))
        return big_32(self.data[at:at + 4])
    @cython.final
    cdef inline long long u16(self, Py_ssize_t at) noexcept nogil:
        if not self.has(at, 2):
            return -1
        return self.data[at] << 8 | self.data[at + 1]
    @cython.final
    cdef inline long long u32(self, Py_ssize_t at) noexcept nogil:
        return self.next_32(at) if self.has(at, 4) else -1
