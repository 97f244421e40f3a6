# Made by tests/declarations.py from zeek_timers.py.
cimport cython


@cython.final
cdef class ZeekTimers:
    cdef long long[::1] cells
    cdef unsigned char[::1] octets

    cpdef int look(self, long long[::1] cells, unsigned char[::1] octets) except? -1
    cpdef bint may_be_over(self, Py_ssize_t k, long long flags, long long now) except? -1 nogil
    cpdef bint is_over(
        self, Py_ssize_t k, long long flags, long long seq, long long now
    ) except? -1 nogil
    cdef bint _timed_out(self, Py_ssize_t k, long long now) except? -1 nogil
    cdef long long _patience(self, Py_ssize_t k) except? -1 nogil
    cdef bint _seems_over(self, Py_ssize_t k) except? -1 nogil
    cdef bint _is_reused(self, Py_ssize_t k, long long flags, long long seq) except? -1 nogil
