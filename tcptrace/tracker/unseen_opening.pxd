# Made by tests/declarations.py from unseen_opening.py.
cimport cython
from tcptrace.tracker.syn_received cimport SynReceived
from tcptrace.tracker.witness cimport Witness


@cython.final
cdef class UnseenOpening:
    cdef long long[::1] r
    cdef long long[::1] e
    cdef long long since
    cdef Witness w

    cpdef int opens(
        self, SynReceived received, Py_ssize_t one, Py_ssize_t two, Py_ssize_t first
    ) except? -1 nogil
    cdef Py_ssize_t _last_of_handshake(self, Py_ssize_t first) except? -2 nogil
    cdef bint _is_bare_ack(self, Py_ssize_t row) except? -1 nogil
    cdef bint _is_beside(self, Py_ssize_t row, Py_ssize_t later) except? -1 nogil
    cdef int _assume_syns(
        self, Py_ssize_t active, Py_ssize_t passive, Py_ssize_t word
    ) except? -1 nogil
    cdef int _establish(self, Py_ssize_t at, Py_ssize_t word) except? -1 nogil
