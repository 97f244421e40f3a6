# Made by tests/declarations.py from lost_fins.py.
cimport cython
from tcptrace.tcp.sequence cimport diff
from tcptrace.tcp.sequence cimport diff_16
from tcptrace.tracker.fins cimport Fins
from tcptrace.tracker.waits cimport Waits
from tcptrace.tracker.witness cimport Witness


@cython.final
cdef class LostFins:
    cdef long long[::1] r
    cdef long long[::1] e
    cdef Py_ssize_t first
    cdef Py_ssize_t last
    cdef long long now
    cdef Witness w
    cdef Fins fins
    cdef Waits waits

    cpdef int look(self, Py_ssize_t first, Py_ssize_t last, long long now) except? -1 nogil
    cpdef long long between(
        self, Py_ssize_t at, long long side, long long fin, Py_ssize_t beyond, long long low
    ) except? -2 nogil
    cdef Py_ssize_t _own_before(self, long long side, Py_ssize_t before) except? -2 nogil
    cdef long long _probe_wait(
        self, Py_ssize_t at, long long side, long long moment
    ) except? -1 nogil
    cdef long long _trip(self, Py_ssize_t at, long long side) except? -1 nogil
    cpdef int lost_copies(self, Py_ssize_t at, long long side, Py_ssize_t copy) except? -1 nogil
    cdef int _lost_with_ack(self, Py_ssize_t at, long long side, Py_ssize_t copy) except? -1 nogil
    cdef int _lost_at_once(
        self, Py_ssize_t at, long long side, Py_ssize_t copy, long long moment
    ) except? -1 nogil
    cdef long long _echoed(self, long long side, Py_ssize_t row) except? -2 nogil
    cdef long long _sent_before(self, long long side, Py_ssize_t copy) except? -2 nogil
    cpdef Py_ssize_t previous_numbered(self, long long side, Py_ssize_t copy) except? -2 nogil
    cdef long long _owed(
        self, long long side, Py_ssize_t previous, Py_ssize_t copy
    ) except? -2 nogil
