# Made by tests/declarations.py from precedence.py.
cimport cython
from tcptrace.tracker.witness cimport Witness


@cython.final
cdef class Precedence:
    cdef long long[::1] r
    cdef long long[::1] e

    cpdef bint took_before_fin(self, Py_ssize_t at, Py_ssize_t peer) except? -1 nogil
    cpdef bint may_have_come_before(self, Py_ssize_t at, Py_ssize_t peer) except? -1 nogil
    cpdef bint fin_before_established(self, Py_ssize_t at) except? -1 nogil
