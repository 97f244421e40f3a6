# Made by tests/declarations.py from four_tuples.py.
cimport cython
from tcptrace.tracker.memory cimport prefetch


@cython.final
cdef class FourTuples:
    cdef long long[::1] s
    cdef long long[::1] cells
    cdef long long[::1] buckets
    cdef long long[::1] tags
    cdef long long mask
    cdef long long seed
    cdef long long filled

    cpdef int look(self, long long[::1] segments, long long[::1] cells) except -1 nogil
    cpdef long long find(self, Py_ssize_t at, long long tag) except? -2 nogil
    cpdef long long tag_of(self, Py_ssize_t row) except? -1 nogil
    cpdef int expect(self, Py_ssize_t row, Py_ssize_t count) except? -1 nogil
    cdef int _expect_slot(self, long long slot) except? -1 nogil
    cdef int _expect_neighbours(self, long long slot) except? -1 nogil
    cpdef long long sender(self, Py_ssize_t at, Py_ssize_t slot) except? -1 nogil
    cpdef long long tag(self, Py_ssize_t at) except? -1 nogil
    cpdef Py_ssize_t part(self, Py_ssize_t at) except? -1 nogil
    cdef bint _matches(
        self, Py_ssize_t at, long long slot, Py_ssize_t first, Py_ssize_t second
    ) except? -1 nogil
    cpdef int insert(self, Py_ssize_t slot, long long open_count) except -1 nogil
    cpdef int replace(self, Py_ssize_t slot, long long by) except -1 nogil
    cdef int _put(self, long long slot) except? -1 nogil
    cdef int _rehash(self, long long open_count) except? -1
