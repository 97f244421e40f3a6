# Made by tests/declarations.py from witness.py.
cimport cython
from tcptrace.tracker.memory cimport brief_of
from tcptrace.tracker.memory cimport row_of
from tcptrace.tracker.taken_back cimport TakenBack


cdef enum:
    TIME = 0
    PACKET = 1
    KIND = 11
    FLAGS = 13
    SENDER = 19
    COPY = 20
    DOUBT = 26
    SENT = 27
    ARRIVES = 28
    WIDTH = 29
    WHEN = 0
    EARLIEST = 1
    LATEST = 2
    BASIS = 3
    SHOWN_BY = 4
    CONFIRMED_BY = 5
    EVENT = 6
    REASON = 7
    ROW = 8
    ENDED = 54
    JITTER = 66
    CLOCK = 67
    TAKEN_BACK = 77
    SIDE_WIDTH = 79
    RST = 4
    OBSERVED = 0
    PRESUMED = 2
    OWN_SEGMENT = 4
    NO_SOCKET = 7
    NOTHING_MORE = 24
    SEGMENT = 0
    MILLISECOND = 1000000
    NEVER = -1
    TURNAROUND = 65
    FAR = 2000000
    FAR_MARGIN = 6000000
    UNMEASURED = 50000000
    FORGED = 1
    TRUSTED = 4096
    OF_SIDE_0 = 8192


@cython.final
cdef class Witness:
    cdef public long long[::1] r
    cdef public long long[::1] e
    cdef public int[::1] labels
    cdef int * label
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
