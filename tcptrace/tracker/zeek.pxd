# Made by tests/declarations.py from zeek.py.
from tcptrace.tcp.sequence cimport diff
from tcptrace.tracker.completeness cimport Streams
from tcptrace.tracker.memory cimport prefetch
from tcptrace.tracker.zeek_connection cimport ZeekConnections
from tcptrace.tracker.zeek_opening cimport ZeekOpenings
from tcptrace.tracker.zeek_packet cimport ZeekPackets


cdef enum:
    SLOT = 43
    SENDER = 44
    OPENS = 45
    KIND = 3
    MARKS = 42
    TIME = 0
    CLOCK = 47
    SEQ = 15
    ACK_NUMBER = 16
    FLAGS = 17
    WINDOW = 18
    PAYLOAD = 19
    KEPT = 20
    CHECKSUM = 21
    WIDTH = 48
    SLOT_WIDTH = 43
    SOON = 8
    SOON_SLOT = 427
    ENDING = 1
    TIME_END = 6
    PACKETS = 7
    START = 9
    LAST = 11
    ACKED = 13
    TRIMMED = 15
    DELIVERED = 17
    MISSED = 19
    GAPS = 21
    ICMP_ERROR = 2
    BAD = 2
    GOOD = 1
    DOUBTS = 3
    SYN = 2
    ACK = 16
    MOVING = 23
    ACK_KIND = 16
    FAR = 1048576
    GAP = 71
    DATA_SEEN = 32
    ACK_SEEN = 64
