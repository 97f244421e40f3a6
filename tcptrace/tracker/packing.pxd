# Made by tests/declarations.py from packing.py.
cimport cython
from tcptrace.tcp.sequence cimport diff
from tcptrace.tracker.memory cimport brief_of
from tcptrace.tracker.memory cimport low_32
from tcptrace.tracker.memory cimport row_of
from tcptrace.tracker.odds cimport Odds
from tcptrace.tracker.pages cimport Pages


cdef enum:
    B_TIME = 0
    B_PACKET = 2
    B_SEQ = 3
    B_ACK = 4
    B_TSVAL = 5
    B_TSECR = 6
    B_SIZES = 7
    B_LABELS = 8
    B_BITS = 9
    BRIEF = 10
    SENDER_SHIFT = 25
    ODD_SHIFT = 28
    ODD = 12
    O_PATH_LOW = 1
    O_PATH_HIGH = 2
    O_PAYLOAD = 3
    O_WINDOW = 4
    O_INTERFACE = 5
    O_SACK_BLOCKS = 6
    O_SACK = 7
    SACK_EDGES = 4
    PAYLOAD = 0
    BITS = 1
    WINDOW = 2
    IP_ID = 3
    TSVAL = 4
    TSECR = 5
    SEQ = 6
    ACK = 7
    FORETOLD = 8
    FORE = 8
    LAST = 16
    CELLS = 32
    IN_PAGE = 63
    SYN_FIN = 3
    MASK16 = 65535

cdef extern from *:
    const long long UPPER "0x100000000LL"
    const long long MASK32 "0xffffffffLL"


@cython.final
cdef class Packing:
    cdef public Pages pages
    cdef public Py_ssize_t at
    cdef public long long path
    cdef public long long interface
    cdef public long long time
    cdef public long long packet
    cdef public long long[::1] cells
    cdef public int[::1] brief
    cdef public Odds odds

    cpdef int begin(self, Py_ssize_t at, long long path, long long interface) except? -1 nogil
    cpdef int pack(self, int[::1] rows, Py_ssize_t at, Odds odds) except? -1 nogil
    cpdef int unpack(self, int[::1] rows, Py_ssize_t at, Odds odds) except? -1 nogil
    cdef int _look(self, long long * c, int * b, Odds odds) except? -1 nogil
    cdef int _put_moment(self, int * b) except? -1 nogil
    cdef int _take_moment(self, int * b) except? -1 nogil
    cdef int _pack_odd(self, int[::1] odd, Py_ssize_t at) except? -1 nogil
    cdef int _unpack_odd(self, int[::1] odd, Py_ssize_t at) except? -1 nogil
    cdef int _foretold_odd(self, int[::1] odd, Py_ssize_t at, Py_ssize_t cell) except? -2 nogil
    cdef int _put(self, unsigned long long number) except? -1 nogil
    cdef int _put_octet(self, long long octet) except? -1 nogil
    cdef unsigned long long _take(self) except? -1 nogil
    cdef long long _take_octet(self) except? -1 nogil
