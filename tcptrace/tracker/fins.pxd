# Made by tests/declarations.py from fins.py.
cimport cython
from tcptrace.tcp.sequence cimport diff
from tcptrace.tracker.witness cimport Witness


@cython.final
cdef class Fins:
    cdef long long[::1] r
    cdef long long[::1] e
    cdef Py_ssize_t first
    cdef Py_ssize_t last
    cdef long long now
    cdef Witness w

    cpdef int look(self, Py_ssize_t first, Py_ssize_t last, long long now) except? -1 nogil
    cpdef int hidden_fin(self, Py_ssize_t at, long long side) except? -1 nogil
    cpdef long long captured(self, long long side) except? -1 nogil
    cdef long long _acked_before_last(self, long long side) except? -2 nogil
    cpdef Py_ssize_t covering(self, long long side, long long fin, Py_ssize_t row) except? -2 nogil
    cpdef Py_ssize_t fin_copy(self, long long side, long long fin, Py_ssize_t row) except? -2 nogil
    cpdef Py_ssize_t beyond(self, long long side, long long fin, Py_ssize_t row) except? -2 nogil
    cpdef long long last_before(
        self, long long side, long long fin, long long moment
    ) except? -2 nogil
    cpdef Py_ssize_t missed(self, long long side, Py_ssize_t row, long long slack) except? -2 nogil
    cpdef bint sacks(self, Py_ssize_t row, Py_ssize_t other) except? -1 nogil
    cpdef bint duplicate_sack(
        self, long long side, long long fin, Py_ssize_t proof
    ) except? -1 nogil
    cpdef long long reset_after(self, long long moment) except? -2 nogil
