# Made by tests/declarations.py from evidence.py.
cimport cython
from tcptrace.tracker.memory cimport brief_of
from tcptrace.tracker.memory cimport low_32
from tcptrace.tracker.memory cimport prefetch
from tcptrace.tracker.memory cimport row_of
from tcptrace.tracker.pool cimport Pool


cdef enum:
    SEGMENT_WIDTH = 48
    S_SLOT = 43
    S_OPENS = 45
    S_COPY = 46
    S_TIME = 0
    S_PACKET = 1
    S_PATH = 10
    S_SEQ = 15
    S_ACK = 16
    S_PAYLOAD = 19
    S_TSVAL = 27
    S_TSECR = 28
    S_KIND = 3
    S_INTERFACE = 11
    S_TTL = 12
    S_IP_ID = 13
    S_FLAGS = 17
    S_WINDOW = 18
    S_CHECKSUM = 21
    S_CHECKSUM_FIELD = 22
    S_HAS_TIMESTAMP = 26
    S_SACK_BLOCKS = 29
    S_ICMP = 39
    S_SENDER = 44
    BRIEF = 10
    B_TIME = 0
    B_PACKET = 2
    B_SEQ = 3
    B_ACK = 4
    B_TSVAL = 5
    B_TSECR = 6
    B_SIZES = 7
    B_LABELS = 8
    B_BITS = 9
    TTL_SHIFT = 12
    KIND_SHIFT = 20
    CHECKSUM_SHIFT = 22
    TIMESTAMP_SHIFT = 24
    SENDER_SHIFT = 25
    ID_SHIFT = 27
    COPY = 67108864
    ODD = 268435456
    ROWS = 0
    FIRST_CHUNK = 1
    LAST_CHUNK = 2
    LAST_ROWS = 3
    LAST_PINNED = 4
    LOOSE = 5
    PIN = 6
    PINNED_ROWS = 7
    USUAL_PATH = 8
    USUAL_INTERFACE = 9
    SLOT_WIDTH = 10
    SYN_FIN_RST = 7
    SEGMENT = 0
    SOON = 12
    NEXT = 6
    LINES = 5
    CHUNK = 8
    PACKED = -2
    LOOSE_CHUNKS = 5
    PIN_AFTER = 32
    PINNED_MOST = 2048


cdef class EvidenceLog(Pool):
    cdef object kept
    cdef long long[::1] segments

    cdef int _expect_chunk(self, long long chunk) except? -1 nogil
    cdef int _bring_back(self, long long * k) except? -1 nogil
    cdef int _give_back(self, long long * k) except? -1 nogil
    @cython.final
    cdef int _keep(self, long long * s, Py_ssize_t at) except? -1 nogil
    @cython.final
    cdef Py_ssize_t _next_row(self, long long * k) except? -1 nogil
    @cython.final
    cdef int _next_chunk(self, long long * k) except? -1 nogil
    @cython.final
    cdef int _drop_oldest_loose(self, long long * k) except? -1 nogil
