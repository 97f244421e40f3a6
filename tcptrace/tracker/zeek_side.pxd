# What other kernels call and read at C speed; `zeek_side.py` says what it means.
cimport cython


@cython.final
@cython.no_gc
cdef class Side:
    cdef public long long sender, state, before, start, last, acked
    cdef public long long fins, fin_end, packets, missed, delivered, trimmed, high
    cdef public long long syn_mark, fin_mark, rst_mark, corrupt, repeats, shut, gaps
    cdef public bint closed, ended, given_up, vouched
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
