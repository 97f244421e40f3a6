# Made by tests/declarations.py from silence.py.
cimport cython
from tcptrace.tracker.waits cimport Waits
from tcptrace.tracker.witness cimport Witness


@cython.final
cdef class Silence:
    cdef long long[::1] r
    cdef long long[::1] e
    cdef long long[::1] cells
    cdef object profile
    cdef list schedule
    cdef Witness w
    cdef Waits waits
    cdef Py_ssize_t first
    cdef Py_ssize_t last
    cdef long long side
    cdef long long least
    cdef long long most

    cpdef long long given_up(self, Py_ssize_t at, Py_ssize_t peer, long long now) except? -1
    cdef int _after(self, long long since, Py_ssize_t timer) except? -1
    cdef int _orphan(self, long long since) except? -1
    cdef int _request(self) except? -1
    cdef int _give_up(self, Py_ssize_t at) except? -1
    cdef bint _held(self, long long since) except? -1
    cdef bint _hears(self, long long moment, long long una) except? -1
