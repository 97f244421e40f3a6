# Made by tests/declarations.py from odds.py.
cimport cython
from tcptrace.tracker.memory cimport brief_of
from tcptrace.tracker.memory cimport low_32
from tcptrace.tracker.memory cimport row_of


cdef enum:
    SEGMENT_WIDTH = 48
    WIDTH = 29
    S_PACKET = 1
    S_PATH = 10
    S_PAYLOAD = 19
    S_SACK = 30
    S_INTERFACE = 11
    S_WINDOW = 18
    S_SACK_BLOCKS = 29
    S_ICMP = 39
    PACKET = 1
    PAYLOAD = 4
    SACK = 7
    WINDOW = 14
    SACK_BLOCKS = 17
    ICMP = 18
    SACK_EDGES = 4
    ODD = 12
    O_PACKET = 0
    O_PATH_LOW = 1
    O_PATH_HIGH = 2
    O_PAYLOAD = 3
    O_WINDOW = 4
    O_INTERFACE = 5
    O_SACK_BLOCKS = 6
    O_SACK = 7
    O_ICMP = 11

cdef extern from *:
    const long long MASK32 "0xffffffffLL"
    const long long UPPER "0x100000000LL"


@cython.final
cdef class Odds:
    cdef public object matrix
    cdef public int[::1] cells
    cdef public long long free

    cpdef int take(self) except? -1 nogil
    cpdef int write(self, long long[::1] cells, Py_ssize_t at) except? -1 nogil
    cpdef int read(self, Py_ssize_t place, long long[::1] out, Py_ssize_t at) except? -1 nogil
    cpdef int let_go(self, Py_ssize_t place) except? -1 nogil
    cpdef long long path(self, Py_ssize_t place) except? -1 nogil
    cpdef long long payload(self, Py_ssize_t place) except? -1 nogil
    cpdef long long interface(self, Py_ssize_t place) except? -1 nogil
