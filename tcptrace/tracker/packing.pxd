# Made by tests/declarations.py from packing.py.
cimport cython
from tcptrace.tracker.odds cimport Odds
from tcptrace.tracker.pages cimport Pages


@cython.final
cdef class Packing:
    cdef public Pages pages
    cdef public Py_ssize_t at
    cdef public long long path
    cdef public long long interface
    cdef public long long time
    cdef public long long packet
    cdef public long long[::1] foretold
    cdef public long long[::1] row
    cdef public long long[::1] last
    cdef public int[::1] brief
    cdef public Odds odds

    cpdef int begin(self, Py_ssize_t at, long long path, long long interface) except? -1 nogil
    cpdef int pack(self, int[::1] rows, Py_ssize_t at, Odds odds) except? -1 nogil
    cpdef int unpack(self, int[::1] rows, Py_ssize_t at, Odds odds) except? -1 nogil
    cdef int _foretell(self, Py_ssize_t side) except? -1 nogil
    cdef long long _end(self, Py_ssize_t last) except? -1 nogil
    cdef int _pass(self, Py_ssize_t side) except? -1 nogil
    cdef int _look(self, int[::1] rows, Py_ssize_t at, Odds odds) except? -1 nogil
    cdef int _lay(self, int[::1] rows, Py_ssize_t at) except? -1 nogil
    cdef int _put_moment(self, int[::1] rows, Py_ssize_t at) except? -1 nogil
    cdef int _take_moment(self, int[::1] rows, Py_ssize_t at) except? -1 nogil
    cdef int _pack_odd(self, int[::1] odd, Py_ssize_t at) except? -1 nogil
    cdef int _unpack_odd(self, int[::1] odd, Py_ssize_t at) except? -1 nogil
    cdef int _foretold_odd(self, int[::1] odd, Py_ssize_t at, Py_ssize_t cell) except? -2 nogil
    cdef int _put(self, unsigned long long number) except? -1 nogil
    cdef int _put_octet(self, long long octet) except? -1 nogil
    cdef unsigned long long _take(self) except? -1 nogil
    cdef long long _take_octet(self) except? -1 nogil
