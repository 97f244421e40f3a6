# Made by tests/declarations.py from zeek_connection.py.
cimport cython
from tcptrace.tracker.zeek_side cimport Side


@cython.final
@cython.no_gc
cdef class Connection:
    cdef public Side first
    cdef public Side second
    cdef public long long orig
    cdef public long long seen
    cdef public long long met
    cdef public long long port_0
    cdef public long long port_1
    cdef public long long time_start
    cdef public long long time_end
    cdef public long long created
    cdef public long long attempt_at
    cdef public long long delete_at
    cdef public long long idle
    cdef public bint partial
    cdef public bint deferred
    cdef public bytearray history
    cdef public object earlier

    cpdef int open(
        self, long long sender, long long flags, long long source, long long destination
    ) except? -1
    cpdef int succeed(self, Connection old) except? -1
    cpdef int flip(self) except? -1
    cpdef bint is_over(self, long long flags, long long seq, long long now) except? -1
    cdef bint _timed_out(self, Side orig, Side resp, long long now) except? -1
    cpdef int add(self, Side side, long long letter, long long count) except? -1
    cpdef int add_own(
        self, Side side, Py_ssize_t kind, long long controls, long long place
    ) except? -1
    cpdef bint move(self, Side side, Side peer, Py_ssize_t kind, long long time) except? -1
    cpdef int act(self, Side side, Side peer, long long acts, long long time) except? -1
    cpdef int trim(self, Side side, Side peer, long long upto) except? -1
    cdef int _gap(self, Side side, Side peer, long long upto) except? -1
    cpdef int check_end(self, Side side, Side peer) except? -1
    cpdef int close(self, Side side, Side peer) except? -1
