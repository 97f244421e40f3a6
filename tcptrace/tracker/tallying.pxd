# Made by tests/declarations.py from tallying.py.
from tcptrace.cells cimport clear
from tcptrace.tcp.sequence cimport diff
from tcptrace.tracker.memory cimport prefetch


cdef enum:
    TIME = 0
    PACKET = 1
    KIND = 3
    SEQ = 15
    ACK = 16
    FLAGS = 17
    WINDOW = 18
    PAYLOAD = 19
    CHECKSUM = 21
    MSS = 23
    SLOT = 43
    SENDER = 44
    OPENS = 45
    IS_COPY = 46
    WIDTH = 48
    SEGMENTS = 0
    PAYLOADS = 1
    RETRANSMITS = 2
    COPIES = 3
    REORDERED = 4
    UNSEEN = 5
    BAD_CHECKSUMS = 6
    OFFLOADS = 7
    SUPER_SEGMENTS = 8
    ZERO_WINDOWS = 9
    OFFERED_MSS = 10
    NXT = 11
    UNA = 12
    UNA_TIME = 13
    LAST_TIME = 14
    LAST_PACKET = 15
    GAP = 16
    TALLY_WIDTH = 17
    BOTH_WIDTH = 34
    SOON = 8
    SOON_SLOT = 427
    SYN = 2
    ACK_BIT = 16
    FIN = 1
    RST = 4
    SYN_OR_FIN = 3
    SEGMENT = 0
    GOOD = 1
    BAD = 2
    OFFLOADED = 3
    REORDER_WITHIN = 10000000
    NEAR = 1073741824
