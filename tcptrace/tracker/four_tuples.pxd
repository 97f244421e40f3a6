# Made by tests/declarations.py from four_tuples.py.
cimport cython


@cython.final
cdef class FourTuples:
    cdef public long long[::1] s
    cdef public long long[::1] cells
    cdef public long long[::1] buckets
    cdef public long long mask
    cdef public long long seed
    cdef public long long filled

    cpdef int look(self, long long[::1] segments, long long[::1] cells) except -1 nogil
    cpdef long long find(self, Py_ssize_t at, long long tag) except? -2 nogil
    cpdef long long sender(self, Py_ssize_t at, Py_ssize_t slot) except? -1 nogil
    cpdef long long tag(self, Py_ssize_t at) except? -1 nogil
    cpdef Py_ssize_t part(self, Py_ssize_t at) except? -1 nogil
    cdef bint _matches(
        self, Py_ssize_t at, long long slot, Py_ssize_t source, Py_ssize_t destination, Py_ssize_t source_port, Py_ssize_t destination_port
    ) except? -1 nogil
    cpdef int insert(self, Py_ssize_t slot, long long open_count) except -1 nogil
    cpdef int replace(self, Py_ssize_t slot, long long by) except -1 nogil
    cdef int _put(self, long long slot) except? -1 nogil
    cdef int _rehash(self, long long open_count) except? -1
