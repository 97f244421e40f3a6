# Made by tests/declarations.py from fin_order.py.
cimport cython
from tcptrace.tracker.fins cimport Fins
from tcptrace.tracker.witness cimport Witness


@cython.final
cdef class FinOrder:
    cdef long long[::1] r
    cdef long long[::1] e
    cdef Py_ssize_t first
    cdef Py_ssize_t last
    cdef Witness w
    cdef Fins fins

    cpdef int look(self, Py_ssize_t first, Py_ssize_t last, long long now) except? -1 nogil
    cpdef int settle(self, Py_ssize_t at, Py_ssize_t peer, long long side) except? -1 nogil
    cdef bint _tells(self, Py_ssize_t at, long long side, long long fin) except? -1 nogil
    cdef bint _precedes(self, Py_ssize_t row, long long fin) except? -1 nogil
    cdef bint _is_first(self, Py_ssize_t at, long long side, long long fin) except? -1 nogil
    cdef bint _unbroken(self, long long side, long long fin, Py_ssize_t row) except? -1 nogil
    cdef Py_ssize_t _numbered_before(self, long long side, Py_ssize_t row) except? -2 nogil
    cdef bint _is_numbered(self, Py_ssize_t row, long long side, long long number) except? -1 nogil
    cdef int _presume(self, Py_ssize_t m) except? -1 nogil
    cdef bint _minisocket(self, long long side, long long fin, Py_ssize_t taken) except? -1 nogil
    cdef bint _numbers(self, long long side, Py_ssize_t before) except? -1 nogil
    cdef bint _close_together(self, Py_ssize_t at, Py_ssize_t taken) except? -1 nogil
    cdef bint _proves_closing(self, Py_ssize_t at, long long side, long long fin) except? -1 nogil
    cdef int _doubt(self, Py_ssize_t at, Py_ssize_t peer, Py_ssize_t taken) except? -1 nogil
    cdef int _doubt_ack_first(self, Py_ssize_t at, long long side, long long fin) except? -1 nogil
    cdef bint _left_first(self, Py_ssize_t at, long long fin) except? -1 nogil
    cdef bint _unseen(self, long long side, long long fin, Py_ssize_t taken) except? -1 nogil
    cdef bint _in_recovery(self, Py_ssize_t at, long long side, Py_ssize_t taken) except? -1 nogil
