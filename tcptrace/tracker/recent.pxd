# Made by tests/declarations.py from recent.py.
cimport cython
from tcptrace.tracker.four_tuples cimport FourTuples
from tcptrace.tracker.marks cimport mark
from tcptrace.tracker.memory cimport prefetch


@cython.final
cdef class Recent:
    cdef public long long[::1] s
    cdef public long long[::1] cells
    cdef public FourTuples tuples
    cdef public unsigned long long[::1] met
    cdef public int shift
    cdef public unsigned long long key
    cdef public long long[::1] tags
    cdef public long long[::1] soon
    cdef public Py_ssize_t hashed
    cdef public Py_ssize_t rows
    cdef public bint far

    cpdef int look(self, long long[::1] segments, long long[::1] cells) except -1 nogil
    cpdef int meet(self, unsigned long long its, unsigned long long slot) except? -1 nogil
    cpdef long long tag_of(self, Py_ssize_t row) except? -1 nogil
    cpdef int expect(self, Py_ssize_t row, Py_ssize_t count) except? -1 nogil
    cdef int _expect_bucket(self, Py_ssize_t row) except? -1 nogil
    cdef int _expect_slot(self, Py_ssize_t row) except? -1 nogil
    cdef int _expect_neighbours(self, Py_ssize_t k) except? -1 nogil
    cdef int _fetch(self, Py_ssize_t k) except? -1 nogil
