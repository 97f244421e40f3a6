# Made by tests/declarations.py from zeek_opening.py.
cimport cython


cdef enum:
    SLOT = 43
    SENDER = 44
    OPENS = 45
    KIND = 3
    MARKS = 42
    TIME = 0
    SEQ = 15
    ACK_NUMBER = 16
    FLAGS = 17
    WINDOW = 18
    PAYLOAD = 19
    CHECKSUM = 21
    SRC_PORT = 8
    DST_PORT = 9
    WIDTH = 43
    TIME_START = 41
    TIME_END = 6
    CREATED = 42
    ATTEMPT_AT = 23
    DELETE_AT = 24
    START = 9
    LAST = 11
    ACKED = 13
    DELIVERED = 17
    TRIMMED = 15
    PACKETS = 7
    SYN = 2
    SYN_ACK = 18
    MOVING = 23
    BAD = 2
    GOOD = 1
    DOUBTS = 3
    STREAMS = 1
    ROW = 2
    PAST = 3
    STREAM_OPENED = 65
    STREAM_ANSWERS = 130


@cython.final
cdef class ZeekOpenings:
    cdef long long[::1] rows
    cdef long long[::1] cells
    cdef unsigned char[::1] seen

    cpdef int look(
        self, long long[::1] rows, long long[::1] cells, unsigned char[::1] seen
    ) except? -1
    cpdef bint take(self, size_t at, long long now) except? -1 nogil
    cdef bint _open(self, size_t at, size_t k, long long now) except? -1 nogil
    cdef bint _answer(self, size_t at, size_t k, long long now) except? -1 nogil
