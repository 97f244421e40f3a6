# Made by tests/declarations.py from zeek_packet.py.
cimport cython
from tcptrace.tracker.completeness cimport Streams
from tcptrace.tracker.zeek_connection cimport ZeekConnections
from tcptrace.tracker.zeek_history cimport ZeekHistories
from tcptrace.tracker.zeek_side cimport ZeekSides
from tcptrace.tracker.zeek_timers cimport ZeekTimers


@cython.final
cdef class ZeekPackets:
    cdef public bint check_checksums
    cdef public ZeekConnections connections
    cdef public Streams streams
    cdef public ZeekSides sides
    cdef public ZeekHistories histories
    cdef public ZeekTimers timers
    cdef public long long[::1] rows
    cdef public long long[::1] cells
    cdef public unsigned char[::1] octets
    cdef public Py_ssize_t at
    cdef public long long clock

    cpdef int look(self, long long[::1] rows, Py_ssize_t count) except? -1
    cpdef int take(self, Py_ssize_t at, long long clock) except? -1 nogil
    cpdef int note(self, Py_ssize_t at, Py_ssize_t k, Py_ssize_t kind) except? -1 nogil
    cdef Py_ssize_t _connection(self) except? -2 nogil
    cdef bint _believes(self, Py_ssize_t k, Py_ssize_t own) except? -1 nogil
    cdef int _segment(self, Py_ssize_t k, Py_ssize_t own) except? -1 nogil
    cdef int _count(
        self, Py_ssize_t k, Py_ssize_t own, Py_ssize_t column, long long letter
    ) except? -1 nogil
    cdef int _packet(self, Py_ssize_t k, Py_ssize_t own) except? -1 nogil
    cdef long long _meet(self, Py_ssize_t k, Py_ssize_t own, long long flags) except? -1 nogil
    cdef int _shut(self, Py_ssize_t k, Py_ssize_t own, long long flags) except? -1 nogil
