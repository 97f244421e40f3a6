# Made by tests/declarations.py from packing.py.
cimport cython


@cython.final
cdef class Packing:
    cdef unsigned char[::1] octets
    cdef const unsigned char[::1] packed
    cdef Py_ssize_t at
    cdef Py_ssize_t last
    cdef Py_ssize_t own
    cdef Py_ssize_t peer
    cdef Py_ssize_t before_0
    cdef Py_ssize_t before_1

    cdef int _begin(self) except? -1
    cdef int _turn(self, long long side) except? -1
    cdef int _pass(self, Py_ssize_t k, long long side) except? -1
    cdef long long _held(self, long long[::1] rows, Py_ssize_t cell) except? -1
    cdef long long _end(self, long long[::1] rows, Py_ssize_t row) except? -1
    cdef int _pack_row(self, long long[::1] rows, Py_ssize_t k) except? -1
    cdef int _unpack_row(self, long long[::1] rows, Py_ssize_t k) except? -1
    cdef int _put(self, unsigned long long number) except? -1
    cdef unsigned long long _take(self) except? 0
