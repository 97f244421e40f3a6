# Made by tests/declarations.py from completeness.py.


cdef class Streams:
    cdef long long[::1] seen

    cdef int _add(self, long long[::1] rows, Py_ssize_t at) except? -1
