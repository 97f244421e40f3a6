# Made by tests/declarations.py from fin_receipt.py.
cimport cython
from tcptrace.tcp.sequence cimport diff
from tcptrace.tracker.fins cimport Fins
from tcptrace.tracker.refuting cimport Refuting
from tcptrace.tracker.witness cimport Witness


@cython.final
cdef class FinReceipt:
    cdef long long[::1] r
    cdef long long[::1] e
    cdef Py_ssize_t first
    cdef Py_ssize_t last
    cdef long long now
    cdef Witness w
    cdef Fins fins
    cdef Refuting refuting

    cpdef int look(self, Py_ssize_t first, Py_ssize_t last, long long now) except? -1 nogil
    cpdef int fin_taken(
        self, Py_ssize_t at, Py_ssize_t peer, long long side, long long fin, Py_ssize_t proof
    ) except? -1 nogil
    cdef Py_ssize_t _taken_copy(
        self, long long side, long long fin, Py_ssize_t proof
    ) except? -2 nogil
    cdef Py_ssize_t _presumed_copy(
        self, Py_ssize_t peer, long long side, long long fin
    ) except? -2 nogil
    cpdef int fin_acknowledged(
        self, Py_ssize_t at, Py_ssize_t peer, long long side, long long fin, Py_ssize_t proof
    ) except? -1 nogil
    cdef int _confirm_ack(
        self, Py_ssize_t at, Py_ssize_t peer, long long side, Py_ssize_t cause
    ) except? -1 nogil
    cdef bint _shares_tick(self, Py_ssize_t row) except? -1 nogil
    cdef long long _last_repeat(self, long long side, long long fin) except? -2 nogil
    cdef bint _quiet(self, Py_ssize_t at, long long side, long long fin) except? -1 nogil
    cdef int _silent_ack(
        self, Py_ssize_t at, Py_ssize_t peer, long long side, long long fin, Py_ssize_t proof
    ) except? -1 nogil
