# Made by tests/declarations.py from zeek_side.py.
cimport cython


@cython.final
@cython.no_gc
cdef class Side:
    cdef public long long sender
    cdef public long long state
    cdef public long long before
    cdef public long long start
    cdef public long long last
    cdef public long long acked
    cdef public long long fins
    cdef public long long fin_end
    cdef public long long packets
    cdef public long long missed
    cdef public long long delivered
    cdef public long long trimmed
    cdef public long long high
    cdef public long long syn_mark
    cdef public long long fin_mark
    cdef public long long rst_mark
    cdef public long long corrupt
    cdef public long long repeats
    cdef public long long shut
    cdef public long long gaps
    cdef public bint closed
    cdef public bint ended
    cdef public bint given_up
    cdef public bint vouched
    cdef public object blocks

    cpdef int begin(self, long long flags, long long seq, long long end) except? -1
    cpdef int number(self, long long start, long long last) except? -1
    cpdef long long relative(self, long long number, long long near) noexcept
    cpdef bint send(self, long long end, long long flags) except? -1
    cpdef long long acknowledge(self, long long number, long long flags) except? -1
    cpdef int store(self, Side peer, long long start, long long end) except? -1
    cdef int _store_apart(self, Side peer, long long start, long long end) except? -1
    cpdef int absorb(self) except? -1
    cpdef long long size(self, Side peer) except? -1
    cpdef bint pending(self, Side peer) except? -1
