# Made by tests/declarations.py from stray_resets.py.
cimport cython
from tcptrace.tracker.witness cimport Witness


@cython.final
cdef class StrayResets:
    cdef long long[::1] r
    cdef long long[::1] e
    cdef long long[::1] profile
    cdef Py_ssize_t first
    cdef Witness w

    cpdef int look(self, Py_ssize_t first) except? -1 nogil
    cpdef int answered(
        self, Py_ssize_t at, Py_ssize_t peer, long long side, Py_ssize_t row
    ) except? -1 nogil
    cdef int _too_late(self, Py_ssize_t at, Py_ssize_t row, Py_ssize_t cause) except? -1 nogil
    cdef int _closed_in_syn_sent(
        self, Py_ssize_t at, Py_ssize_t peer, long long side, Py_ssize_t row, Py_ssize_t cause
    ) except? -1 nogil
    cdef int _lost_socket(
        self, Py_ssize_t at, Py_ssize_t peer, long long side, Py_ssize_t row, Py_ssize_t cause
    ) except? -1 nogil
    cdef Py_ssize_t _provoked_by(self, long long side, Py_ssize_t row) except? -2 nogil
    cdef int _answered_request(
        self, Py_ssize_t at, long long side, Py_ssize_t row, Py_ssize_t cause
    ) except? -1 nogil
    cdef bint _proved_fin_taken(self, Py_ssize_t at, Py_ssize_t row) except? -1 nogil
    cpdef bint proved_open(self, Py_ssize_t at) except? -1 nogil
    cdef int _answered_closed(
        self, Py_ssize_t at, Py_ssize_t peer, Py_ssize_t row, Py_ssize_t cause
    ) except? -1 nogil
    cdef int _after_fin_taken(
        self, Py_ssize_t at, Py_ssize_t row, Py_ssize_t cause
    ) except? -1 nogil
    cdef bint _took_before_fin(self, Py_ssize_t at) except? -1 nogil
