# Made by tests/declarations.py from evidence.py.


cdef class EvidenceLog:
    cdef object pool
    cdef object poured
    cdef object kept
    cdef long long[::1] table
    cdef int[::1] rows
    cdef long long[::1] after
    cdef long long free
    cdef long long[::1] source

    cdef int _begin(self, Py_ssize_t k) except? -1 nogil
    cdef int _bring_back(self, Py_ssize_t slot) except? -1
    cdef Py_ssize_t _pour(self, Py_ssize_t slot, long long[::1] out, Py_ssize_t at) except? -1 nogil
    cdef int _unpack(self, Py_ssize_t row, long long[::1] out, Py_ssize_t at) except? -1 nogil
    cdef int _give_back(self, Py_ssize_t slot) except? -1 nogil
    cdef int _keep(self, long long[::1] s, Py_ssize_t at, Py_ssize_t slot) except? -1 nogil
    cdef int _lay(self, Py_ssize_t row, long long[::1] cells, Py_ssize_t at) except? -1 nogil
    cdef Py_ssize_t _next_row(self, Py_ssize_t k) except? -1 nogil
    cdef int _next_chunk(self, Py_ssize_t k) except? -1 nogil
    cdef int _drop_oldest_loose(self, Py_ssize_t k) except? -1 nogil
    cdef int _let_go(self, long long chunk) except? -1 nogil
    cdef long long _time(self, Py_ssize_t row) except? -1 nogil
    cdef long long _is_copy(self, Py_ssize_t k, Py_ssize_t row) except? -1 nogil
    cdef bint _same(self, Py_ssize_t row, Py_ssize_t other) except? -1 nogil
