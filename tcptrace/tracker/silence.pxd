# Made by tests/declarations.py from silence.py.
cimport cython
from tcptrace.tracker.waits cimport Waits
from tcptrace.tracker.witness cimport Witness


@cython.final
cdef class Silence:
    cdef public long long[::1] r
    cdef public long long[::1] e
    cdef public long long[::1] cells
    cdef public long long[::1] syns
    cdef public object profile
    cdef public Witness w
    cdef public Waits waits
    cdef public Py_ssize_t first
    cdef public Py_ssize_t last
    cdef public long long side
    cdef public long long least
    cdef public long long most

    cpdef int look(self, Py_ssize_t first, Py_ssize_t last, long long side) except? -1 nogil
    cpdef bint expiry(self, Py_ssize_t at, long long state, long long since) except? -1 nogil
    cpdef long long given_up(self, Py_ssize_t at, Py_ssize_t peer, long long now) except? -1 nogil
    cdef int _after(self, long long since, Py_ssize_t timer) except? -1 nogil
    cdef int _orphan(self, long long since) except? -1 nogil
    cdef int _slow_orphan(self, long long since, long long timeout) except? -1
    cdef int _request(self) except? -1 nogil
    cdef int _give_up(self, Py_ssize_t at) except? -1 nogil
    cdef Py_ssize_t _next_with(self, long long octet, Py_ssize_t row) except? -2 nogil
    cdef int _give_up_repeating(self, long long octet, bint orphan) except? -1
    cdef bint _held(self, long long since) except? -1 nogil
    cdef bint _hears(self, long long moment, long long una) except? -1 nogil
