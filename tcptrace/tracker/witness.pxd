# Made by tests/declarations.py from witness.py.
cimport cython
from tcptrace.tracker.taken_back cimport TakenBack


@cython.final
cdef class Witness:
    cdef public long long[::1] r
    cdef public long long[::1] e
    cdef public int[::1] labels
    cdef public Py_ssize_t first
    cdef public Py_ssize_t last
    cdef public TakenBack taken_back

    cdef int _label(self) except? -1 nogil
    cpdef int look(self, Py_ssize_t first, Py_ssize_t last) except? -1 nogil
    cpdef Py_ssize_t next_row(
        self, Py_ssize_t row, long long side, long long set_bits, long long clear_bits
    ) except? -2 nogil
    cpdef long long last_sent(
        self, long long side, long long set_bits, long long clear_bits
    ) except? -2 nogil
    cpdef long long round_trip(self, Py_ssize_t at, Py_ssize_t peer) except? -1 nogil
    cpdef long long margin(self, Py_ssize_t at) except? -1 nogil
    cpdef int sends(self, Py_ssize_t m, Py_ssize_t at, Py_ssize_t row) except? -1 nogil
    cpdef int takes(
        self, Py_ssize_t m, Py_ssize_t at, Py_ssize_t row, Py_ssize_t proof
    ) except? -1 nogil
    cpdef int ends(
        self, Py_ssize_t at, long long when, long long basis, long long event, Py_ssize_t row
    ) except? -1 nogil
    cpdef int moment(
        self, Py_ssize_t m, long long when, long long earliest, long long latest
    ) except? -1 nogil
    cpdef int say(
        self, Py_ssize_t m, long long basis, long long event, long long reason
    ) except? -1 nogil
    cpdef int refute(
        self, Py_ssize_t at, long long event, Py_ssize_t cause, Py_ssize_t by, long long reason
    ) except? -1 nogil
    cpdef int take_back(
        self, Py_ssize_t at, Py_ssize_t milestone, Py_ssize_t by, long long reason
    ) except? -1 nogil
    cdef int _hand_on(
        self, Py_ssize_t at, long long event, long long when, long long earliest, long long packet, Py_ssize_t by, long long reason
    ) except? -1 nogil
