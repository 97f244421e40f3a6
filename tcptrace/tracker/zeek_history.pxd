# Made by tests/declarations.py from zeek_history.py.
cimport cython


@cython.final
cdef class ZeekHistories:
    cdef public long long[::1] cells
    cdef public unsigned char[::1] octets
    cdef public dict tails

    cpdef int look(self, long long[::1] cells, unsigned char[::1] octets) except? -1
    cpdef int add_own(
        self, Py_ssize_t k, Py_ssize_t own, Py_ssize_t kind, long long controls, long long place
    ) except? -1 nogil
    cdef bint _mark(self, Py_ssize_t at, long long controls, long long place) except? -1 nogil
    cpdef int add(
        self, Py_ssize_t k, Py_ssize_t own, long long letter, long long count
    ) except? -1 nogil
    cpdef int flip(self, Py_ssize_t k) except? -1 nogil
    cdef int _append(self, Py_ssize_t k, long long letter) except? -1 nogil
    cdef int _spill(self, Py_ssize_t k, long long letter) except? -1
    cpdef int drop_tail(self, Py_ssize_t k) except? -1 nogil
