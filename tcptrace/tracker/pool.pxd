# Made by tests/declarations.py from pool.py.
from tcptrace.tracker.odds cimport Odds


cdef class Pool:
    cdef object briefs
    cdef Odds odds
    cdef long long[::1] table
    cdef int[::1] rows
    cdef long long[::1] after
    cdef long long free
    cdef long long used

    cdef long long _take_chunk(self) except? -1 nogil
    cdef int _let_go(self, long long chunk, Py_ssize_t rows) except? -1 nogil
    cdef int _write(
        self, Py_ssize_t row, Py_ssize_t k, long long[::1] cells, Py_ssize_t at
    ) except? -1 nogil
    cdef bint _says_more(self, Py_ssize_t k, long long[::1] cells, Py_ssize_t at) except? -1 nogil
    cdef int _read(
        self, int[::1] rows, Py_ssize_t row, Odds odds, long long[::1] out, Py_ssize_t at
    ) except? -1 nogil
    cdef long long _time(self, Py_ssize_t row) except? -1 nogil
    cdef bint _is_copy(self, Py_ssize_t k, Py_ssize_t row, long long chunk) except? -1 nogil
    cdef bint _same(self, Py_ssize_t k, Py_ssize_t row, Py_ssize_t other) except? -1 nogil
    cdef long long _payload(self, Py_ssize_t row) except? -1 nogil
    cdef bint _took_another_way(
        self, Py_ssize_t k, Py_ssize_t row, Py_ssize_t other
    ) except? -1 nogil
    cdef long long _path(self, Py_ssize_t k, Py_ssize_t row) except? -1 nogil
    cdef long long _interface(self, Py_ssize_t k, Py_ssize_t row) except? -1 nogil
