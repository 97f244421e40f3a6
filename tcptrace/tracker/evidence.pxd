# Made by tests/declarations.py from evidence.py.
from tcptrace.tracker.memory cimport prefetch
from tcptrace.tracker.pool cimport Pool


cdef class EvidenceLog(Pool):
    cdef object kept

    cdef int _begin(self, Py_ssize_t k, long long[::1] s, Py_ssize_t at) except? -1 nogil
    cdef int _expect(self, long long soon, long long following) except? -1 nogil
    cdef int _expect_chunk(self, long long chunk) except? -1 nogil
    cdef int _bring_back(self, Py_ssize_t slot) except? -1 nogil
    cdef Py_ssize_t _pour(self, Py_ssize_t slot, long long[::1] out, Py_ssize_t at) except? -1 nogil
    cdef int _give_back(self, Py_ssize_t slot) except? -1 nogil
    cdef int _keep(self, long long[::1] s, Py_ssize_t at, Py_ssize_t slot) except? -1 nogil
    cdef Py_ssize_t _next_row(self, Py_ssize_t k) except? -1 nogil
    cdef int _next_chunk(self, Py_ssize_t k) except? -1 nogil
    cdef int _drop_oldest_loose(self, Py_ssize_t k) except? -1 nogil
