# Made by tests/declarations.py from first_copies.py.
cimport cython
from tcptrace.tcp.sequence cimport diff_16
from tcptrace.tracker.witness cimport Witness


@cython.final
cdef class FirstCopies:
    cdef long long[::1] r
    cdef long long[::1] e
    cdef Py_ssize_t first
    cdef Witness w
    cdef bint counted
    cdef long long last_id
    cdef long long shown_id
    cdef long long missing
    cdef long long merged
    cdef long long nxt
    cdef long long largest
    cdef long long shown

    cpdef int look(self, Py_ssize_t first) except? -1 nogil
    cpdef long long syn_is_older(self, Py_ssize_t at, Py_ssize_t syn) except? -1 nogil
    cdef long long _wait_for_next(self, Py_ssize_t syn) except? -2 nogil
    cdef bint _some_lost(self, Py_ssize_t at, Py_ssize_t syn) except? -1 nogil
    cpdef long long fin_since(self, long long side, long long fin, Py_ssize_t stop) except? -2 nogil
    cpdef bint lost_before(self, long long side, long long fin, Py_ssize_t copy) except? -1 nogil
    cdef bint _may_have_left(self, Py_ssize_t row, long long fin) except? -1 nogil
    cdef long long _needed(self, long long fin) except? -1 nogil
    cdef bint _count(self, Py_ssize_t row) except? -1 nogil
