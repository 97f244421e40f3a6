# Made by tests/declarations.py from taken_back.py.
cimport cython


@cython.final
cdef class TakenBack:
    cdef public long long[::1] cells
    cdef public Py_ssize_t room
    cdef public Py_ssize_t made
    cdef public Py_ssize_t runs
    cdef public long long time
    cdef public long long event
    cdef public long long earliest
    cdef public long long packet
    cdef public long long proof
    cdef public long long reason
    cdef public long long following

    cpdef Py_ssize_t add(
        self, long long event, long long time, long long following
    ) except? -1 nogil
    cpdef int say(
        self, Py_ssize_t row, long long earliest, long long packet, long long proof, long long reason
    ) except? -1 nogil
    cpdef int look(self, long long move) except? -1 nogil
    cpdef int put_after(self, long long move, long long following) except? -1 nogil
    cpdef long long ordered(self, long long first) except? -1 nogil
    cdef long long _merge_runs(self, long long first, Py_ssize_t length) except? -1 nogil
    cdef long long _after(self, long long move) except? -1 nogil
    cdef bint _precedes(self, long long move, long long other) except? -1 nogil
    cdef int _grow(self) except? -1
