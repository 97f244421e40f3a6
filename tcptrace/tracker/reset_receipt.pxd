# Made by tests/declarations.py from reset_receipt.py.
cimport cython
from tcptrace.tracker.witness cimport Witness


@cython.final
cdef class ResetReceipt:
    cdef long long[::1] r
    cdef long long[::1] e
    cdef Py_ssize_t first
    cdef Py_ssize_t last
    cdef Witness w

    cpdef int look(self, Py_ssize_t first, Py_ssize_t last) except? -1 nogil
    cpdef bint valid(
        self, Py_ssize_t at, Py_ssize_t peer, long long side, Py_ssize_t row
    ) except? -1 nogil
    cdef bint _in_time_wait(self, Py_ssize_t at, Py_ssize_t row) except? -1 nogil
    cdef bint _expected(self, long long side, Py_ssize_t row) except? -1 nogil
    cdef bint _acknowledges_syn(self, long long side, Py_ssize_t row) except? -1 nogil
    cpdef bint dark(self, long long side, Py_ssize_t row) except? -1 nogil
