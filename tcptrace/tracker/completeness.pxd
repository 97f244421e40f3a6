# Made by tests/declarations.py from completeness.py.
cimport cython


@cython.final
cdef class Streams:
    cdef public unsigned char[::1] seen
    cdef public long long[::1] rows

    cpdef Py_ssize_t look(self, long long[::1] rows, Py_ssize_t count) except? -1
    cpdef long long of(self, Py_ssize_t slot) except? -1 nogil
    cpdef int add(self, Py_ssize_t at) except? -1 nogil
