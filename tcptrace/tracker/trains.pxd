# Made by tests/declarations.py from trains.py.
cimport cython
from tcptrace.tcp.sequence cimport diff
from tcptrace.tracker.marks cimport mark
from tcptrace.tracker.queues cimport Queues
from tcptrace.tracker.recent cimport Recent


@cython.final
cdef class Trains:
    cdef public long long[::1] s
    cdef public long long[::1] cells
    cdef public Recent recent
    cdef public Queues queues
    cdef public unsigned long long mark
    cdef public long long found

    cpdef int look(self, long long[::1] segments, long long[::1] cells) except -1 nogil
    cpdef Py_ssize_t walk(self, Py_ssize_t row, Py_ssize_t count) except? -1 nogil
    cpdef int begin(self, Py_ssize_t at, Py_ssize_t slot) except? -1 nogil
    cpdef int note(self, Py_ssize_t at, Py_ssize_t slot, long long side) except? -1 nogil
