# Made by tests/declarations.py from syn_received.py.
cimport cython
from tcptrace.tracker.refuting cimport Refuting
from tcptrace.tracker.witness cimport Witness


@cython.final
cdef class SynReceived:
    cdef long long[::1] r
    cdef long long[::1] e
    cdef Py_ssize_t first
    cdef Witness w
    cdef Refuting refuting

    cpdef int look(self, Py_ssize_t first) except? -1 nogil
    cpdef int passive_established(
        self, Py_ssize_t at, long long side, Py_ssize_t answer
    ) except? -1 nogil
    cdef int _by_a_later_ack(self, Py_ssize_t at, long long side, long long answer) except? -1 nogil
    cdef int _establish(
        self, Py_ssize_t at, Py_ssize_t cause, Py_ssize_t proof, Py_ssize_t answer
    ) except? -1 nogil
    cdef Py_ssize_t _proof_of_ack(self, long long side) except? -2 nogil
    cdef Py_ssize_t _echoed_cause(
        self, long long side, Py_ssize_t proof, Py_ssize_t cause, long long ignored
    ) except? -2 nogil
