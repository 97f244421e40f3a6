# Made by tests/declarations.py from dating.py.
from tcptrace.tcp.sequence cimport diff
from tcptrace.tracker.memory cimport row_of


cdef enum:
    TIME = 0
    HAS_TIMESTAMP = 16
    TSVAL = 5
    SENDER = 19
    DOUBT = 26
    SENT = 27
    ARRIVES = 28
    WIDTH = 29
    TURNAROUND = 65
    JITTER = 66
    CLOCK = 67
    SIDE_WIDTH = 79
    TICK = 1000000
    DRIFT = 20000000

cdef extern from *:
    const long long NONE "0x4000000000000000LL"
    const long long CLOCK_SPREAD "0xee6b2800LL"
