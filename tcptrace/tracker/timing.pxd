# Made by tests/declarations.py from timing.py.
from tcptrace.tcp.sequence cimport diff
from tcptrace.tracker.memory cimport row_of


cdef enum:
    TIME = 0
    KIND = 11
    SEQ = 2
    ACK = 3
    FLAGS = 13
    PAYLOAD = 4
    CHECKSUM = 15
    HAS_TIMESTAMP = 16
    TSVAL = 5
    TSECR = 6
    SENDER = 19
    COPY = 20
    BEGIN = 21
    END = 22
    ACKED = 23
    REPEAT = 24
    PROBE = 25
    DOUBT = 26
    WIDTH = 29
    ISS = 63
    BASE = 64
    TURNAROUND = 65
    ACTIVE = 68
    FIN_OCTET = 69
    FIN_SEEN = 70
    NXT = 71
    UNA = 72
    SPOKE = 73
    TIMESTAMPS = 74
    SIDE_WIDTH = 79
    SYN = 2
    ACK_BIT = 16
    FIN = 1
    RST = 4
    SEGMENT = 0
    BAD = 2
    LOOK_BACK = 24
    FORGED = 1
    UNDELIVERED = 2

cdef extern from *:
    const long long MASK32 "0xffffffffLL"
