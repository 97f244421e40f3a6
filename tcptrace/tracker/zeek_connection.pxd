# Made by tests/declarations.py from zeek_connection.py.
cimport cython
from tcptrace.cells cimport clear
from tcptrace.tracker.zeek_history cimport ZeekHistories
from tcptrace.tracker.zeek_side cimport ZeekSides
from tcptrace.tracker.zeek_timers cimport ZeekTimers


@cython.final
cdef class ZeekConnections:
    cdef public object matrix
    cdef public long long[::1] cells
    cdef public unsigned char[::1] octets
    cdef public ZeekSides sides
    cdef public ZeekHistories histories
    cdef public ZeekTimers timers
    cdef public dict earlier

    cpdef int make_room(self, Py_ssize_t slots) except? -1
    cpdef int begin(
        self, Py_ssize_t k, Py_ssize_t own, long long time, long long clock
    ) except? -1 nogil
    cpdef int name_ends(
        self, Py_ssize_t k, long long flags, Py_ssize_t source, Py_ssize_t target
    ) except? -1 nogil
    cpdef int forget(self, Py_ssize_t k) except? -1 nogil
    cpdef int cut(self, Py_ssize_t k) except? -1
    cdef int _clear(self, Py_ssize_t k) except? -1 nogil
    cpdef bint move(
        self, Py_ssize_t k, Py_ssize_t own, Py_ssize_t kind, long long time
    ) except? -1 nogil
    cpdef int act(
        self, Py_ssize_t k, Py_ssize_t own, long long acts, long long time
    ) except? -1 nogil
    cpdef int trim(self, Py_ssize_t k, Py_ssize_t own, long long upto) except? -1 nogil
    cdef int _gap(self, Py_ssize_t k, Py_ssize_t own, long long upto) except? -1 nogil
    cdef bint _is_clean(self, Py_ssize_t side) except? -1 nogil
    cpdef int check_end(self, Py_ssize_t k, Py_ssize_t own) except? -1 nogil
    cpdef int close(self, Py_ssize_t k, Py_ssize_t own) except? -1 nogil
    cpdef int tell(self, Py_ssize_t k, long long[::1] out, Py_ssize_t at) except? -1 nogil
