# Made by tests/declarations.py from pool.py.
from tcptrace.tracker.memory cimport brief_of
from tcptrace.tracker.odds cimport Odds


cdef enum:
    USUAL_PATH = 8
    USUAL_INTERFACE = 9
    CHUNK = 8
    BRIEF = 10
    B_TIME = 0
    B_SEQ = 3
    B_ACK = 4
    B_TSVAL = 5
    B_SIZES = 7
    B_LABELS = 8
    B_BITS = 9
    ODD = 268435456
    IDENTITY = 170921983
    TTL_FIELD = 1044480
    OF_KIND = 3145728
    COPY_WITHIN = 50000000
    COPY_AT_ONCE = 1000000

cdef extern from *:
    const long long MASK32 "0xffffffffLL"
    const long long UPPER "0x100000000LL"


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
    cdef bint _is_copy(self, int * c, Py_ssize_t at, long long * k) except? -1 nogil
    cdef bint _same(self, int * c, Py_ssize_t at, Py_ssize_t other, long long * k) except? -1 nogil
    cdef long long _payload(self, int * c, Py_ssize_t at) except? -1 nogil
    cdef bint _took_another_way(
        self, int * c, Py_ssize_t at, Py_ssize_t other, long long * k
    ) except? -1 nogil
    cdef long long _path(self, int * c, Py_ssize_t at, long long * k) except? -1 nogil
    cdef long long _interface(self, int * c, Py_ssize_t at, long long * k) except? -1 nogil
