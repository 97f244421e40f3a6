# Made by tests/declarations.py from queues.py.
cimport cython


@cython.final
cdef class Queues:
    cdef public long long[::1] cells
    cdef public long long[::1] heads
    cdef public long long[::1] tails
    cdef public long long[::1] due
    cdef public long long[::1] order
    cdef public long long[::1] turns
    cdef public Py_ssize_t passed
    cdef public long long turn
    cdef public long long free
    cdef public long long first_left
    cdef public long long last_left
    cdef public Py_ssize_t left_count
    cdef public long long linger

    cpdef int look(self, long long[::1] cells) except -1 nogil
    cpdef Py_ssize_t overdue(self, Py_ssize_t part, long long now) except? -2 nogil
    cpdef long long deadline(self, Py_ssize_t slot) except? -1 nogil
    cpdef Py_ssize_t longest_silent(self) except? -2 nogil
    cdef long long _longest_silent(self, Py_ssize_t standing) except? -2 nogil
    cdef long long _first_in_order(self) except? -2 nogil
    cdef int _put_in_order(self) except? -1
    cpdef int append(self, Py_ssize_t slot, Py_ssize_t standing) except? -1 nogil
    cpdef int detach(self, Py_ssize_t slot) except? -1 nogil
    cdef int _hurry(self, Py_ssize_t k) except? -1 nogil
    cpdef int leave(self, Py_ssize_t slot) except? -1 nogil
    cpdef int give_back(self, Py_ssize_t slot) except? -1 nogil
    cpdef Py_ssize_t take(self) except? -2 nogil
