# Made by tests/declarations.py from waits.py.
cimport cython
from tcptrace.tracker.witness cimport Witness


@cython.final
cdef class Waits:
    cdef public long long[::1] r
    cdef public long long srtt
    cdef public long long rto
    cdef public long long mdev
    cdef public long long mdev_max
    cdef public long long rttvar
    cdef public long long rtt_seq
    cdef public long long nxt

    cpdef int measure(
        self, Py_ssize_t first, Py_ssize_t last, long long side, long long moment
    ) except? -1 nogil
    cdef bint _lacks(
        self, Py_ssize_t last, long long side, Py_ssize_t ack, long long una
    ) except? -1 nogil
    cdef long long _sample(
        self, Py_ssize_t first, long long side, Py_ssize_t ack, long long una
    ) except? -1 nogil
    cdef int _learn(self, long long sample, long long una) except? -1 nogil
    cpdef long long of_probe(self) except? -1 nogil
    cpdef long long timeout(self) except? -1 nogil
