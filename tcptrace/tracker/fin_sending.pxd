# Made by tests/declarations.py from fin_sending.py.
cimport cython
from tcptrace.tcp.sequence cimport diff
from tcptrace.tcp.sequence cimport diff_16
from tcptrace.tracker.fins cimport Fins
from tcptrace.tracker.first_copies cimport FirstCopies
from tcptrace.tracker.lost_fins cimport LostFins
from tcptrace.tracker.witness cimport Witness


@cython.final
cdef class FinSending:
    cdef long long[::1] r
    cdef long long[::1] e
    cdef Py_ssize_t first
    cdef Py_ssize_t last
    cdef long long now
    cdef Witness w
    cdef Fins fins
    cdef FirstCopies firsts
    cdef LostFins lost

    cpdef int look(self, Py_ssize_t first, Py_ssize_t last, long long now) except? -1 nogil
    cpdef int fin_leaves(
        self, Py_ssize_t at, long long side, long long fin, Py_ssize_t proof
    ) except? -1 nogil
    cdef int _lost_before(
        self, Py_ssize_t at, long long side, long long fin, Py_ssize_t copy
    ) except? -1 nogil
    cdef int _overtaken_copies(
        self, Py_ssize_t at, long long side, long long fin, Py_ssize_t copy
    ) except? -1 nogil
    cdef int _left_unseen(
        self, Py_ssize_t at, long long side, long long fin, Py_ssize_t proof, Py_ssize_t beyond
    ) except? -1 nogil
    cdef long long _before_lacking(
        self, long long side, long long fin, Py_ssize_t proof
    ) except? -2 nogil
    cdef bint _overtaken(self, Py_ssize_t copy, Py_ssize_t beyond) except? -1 nogil
    cdef long long _before_peer_fin(
        self, Py_ssize_t at, long long side, Py_ssize_t beyond
    ) except? -2 nogil
    cdef long long _with_lost_ack(
        self, long long side, Py_ssize_t copy, Py_ssize_t beyond, long long moment
    ) except? -2 nogil
    cdef long long _idle_since(
        self, Py_ssize_t at, long long side, Py_ssize_t copy
    ) except? -2 nogil
    cdef long long _queued_by(
        self, long long side, Py_ssize_t copy, long long since
    ) except? -2 nogil
    cdef bint _idle(self, long long side, Py_ssize_t own, long long at_once) except? -1 nogil
