# Made by tests/declarations.py from resting.py.
from tcptrace.tracker.evidence cimport EvidenceLog
from tcptrace.tracker.memory cimport brief_of
from tcptrace.tracker.memory cimport row_of
from tcptrace.tracker.packing cimport Packing
from tcptrace.tracker.pages cimport Pages


cdef enum:
    ROWS = 0
    FIRST_CHUNK = 1
    LAST_CHUNK = 2
    LAST_ROWS = 3
    LOOSE = 5
    PIN = 6
    PINNED_ROWS = 7
    PATH = 8
    INTERFACE = 9
    SLOT_WIDTH = 10
    CHUNK = 8
    PACKED = -2
    CROWDED = 32000
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
    KIND_SHIFT = 20
    CHECKSUM_SHIFT = 22
    TIMESTAMP_SHIFT = 24
    SENDER_SHIFT = 25
    COPY_SHIFT = 26
    FLAGS_MASK = 4095
    KIND_MASK = 3
    CHECKSUM_MASK = 3
    HAS_ID = 134217728
    IS_ODD = 268435456
    TIME = 0
    PACKET = 1
    SEQ = 2
    ACK = 3
    PAYLOAD = 4
    TSVAL = 5
    TSECR = 6
    SACK = 7
    SACK_END = 11
    KIND = 11
    IP_ID = 12
    FLAGS = 13
    WINDOW = 14
    CHECKSUM = 15
    HAS_TIMESTAMP = 16
    SACK_BLOCKS = 17
    ICMP = 18
    SENDER = 19
    COPY = 20
    WORKED_OUT = 21
    WIDTH = 29

cdef extern from *:
    const long long MASK32 "0xffffffffLL"
    const long long UPPER "0x100000000LL"
