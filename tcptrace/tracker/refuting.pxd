# Made by tests/declarations.py from refuting.py.
cimport cython
from tcptrace.tracker.fins cimport Fins
from tcptrace.tracker.witness cimport Witness


@cython.final
cdef class Refuting:
    cdef long long[::1] r
    cdef long long[::1] e
    cdef Py_ssize_t first
    cdef Witness w
    cdef Fins fins

    cpdef int look(self, Py_ssize_t first) except? -1 nogil
    cpdef int syns(
        self, Py_ssize_t at, long long side, Py_ssize_t until, Py_ssize_t answer
    ) except? -1 nogil
    cpdef int syn_acks(
        self, Py_ssize_t at, long long side, Py_ssize_t until, Py_ssize_t proof
    ) except? -1 nogil
    cpdef int acks_of_syn(
        self, Py_ssize_t at, long long side, Py_ssize_t until, Py_ssize_t proof
    ) except? -1 nogil
    cpdef int fin_copies(
        self, Py_ssize_t at, long long side, long long fin, Py_ssize_t until, Py_ssize_t proof
    ) except? -1 nogil
    cpdef int acks_of_fin(
        self, Py_ssize_t at, long long side, long long fin, Py_ssize_t until
    ) except? -1 nogil
    cdef Py_ssize_t _sent_after(
        self, Py_ssize_t at, Py_ssize_t row, Py_ssize_t told, long long set_bits, long long clear_bits
    ) except? -2 nogil
    cdef Py_ssize_t _lacks(
        self, Py_ssize_t at, Py_ssize_t row, Py_ssize_t told, long long fin
    ) except? -2 nogil
    cdef Py_ssize_t _repeats(
        self, Py_ssize_t at, Py_ssize_t row, Py_ssize_t told, long long fin
    ) except? -2 nogil
    cdef long long _known(self, Py_ssize_t at, Py_ssize_t row) except? -1 nogil
    cdef long long _side(self, Py_ssize_t at) except? -1 nogil
