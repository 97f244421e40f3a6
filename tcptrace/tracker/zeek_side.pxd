# Made by tests/declarations.py from zeek_side.py.
cimport cython
from tcptrace.tcp.sequence cimport diff


@cython.final
cdef class ZeekSides:
    cdef public long long[::1] cells
    cdef public unsigned char[::1] octets
    cdef public dict blocks

    cpdef int look(self, long long[::1] cells, unsigned char[::1] octets) except? -1
    cpdef int begin(
        self, Py_ssize_t k, Py_ssize_t own, long long flags, long long seq, long long end
    ) except? -1 nogil
    cpdef int number(self, Py_ssize_t at, long long start, long long last) except? -1 nogil
    cpdef long long relative(self, long long number, long long near, long long start) noexcept nogil
    cpdef bint send(
        self, Py_ssize_t k, Py_ssize_t own, long long end, long long flags
    ) except? -1 nogil
    cpdef long long acknowledge(
        self, Py_ssize_t k, Py_ssize_t own, long long number, long long flags
    ) except? -1 nogil
    cpdef int store(
        self, Py_ssize_t k, Py_ssize_t own, long long start, long long end
    ) except? -1 nogil
    cdef int _store_apart(
        self, Py_ssize_t k, Py_ssize_t own, long long start, long long end, bint unacked
    ) except? -1 nogil
    cdef int _put(self, Py_ssize_t k, Py_ssize_t own, long long start, long long end) except? -1
    cpdef int fill(self, Py_ssize_t k, Py_ssize_t own) except? -1 nogil
    cpdef int absorb(self, Py_ssize_t k, Py_ssize_t own) except? -1 nogil
    cdef bint _absorb(self, Py_ssize_t k, Py_ssize_t own) except? -1
    cpdef long long next_hole(self, Py_ssize_t k, Py_ssize_t own, long long upto) except? -1 nogil
    cpdef long long size(self, Py_ssize_t k, Py_ssize_t own) except? -1 nogil
    cpdef bint pending(self, Py_ssize_t k, Py_ssize_t own) except? -1 nogil
