# Made by tests/declarations.py from queues.py.
cimport cython


@cython.final
cdef class Queues:
    cdef long long[::1] cells
    cdef long long[::1] heads
    cdef long long[::1] tails
    cdef long long free
    cdef long long first_left
    cdef long long last_left
    cdef long long linger

    cpdef int look(self, long long[::1] cells) except -1 nogil
    cpdef Py_ssize_t overdue(self, Py_ssize_t part, long long now) except? -2 nogil
    cpdef long long deadline(self, Py_ssize_t slot) except? -1 nogil
    cpdef Py_ssize_t longest_silent(self) except? -2 nogil
    cdef long long _longest_silent(self, Py_ssize_t standing) except? -2 nogil
    cdef Py_ssize_t _queue(self, Py_ssize_t standing, Py_ssize_t part) except? -1 nogil
    cpdef int append(self, Py_ssize_t slot, Py_ssize_t standing) except? -1 nogil
    cpdef int detach(self, Py_ssize_t slot) except? -1 nogil
    cpdef int leave(self, Py_ssize_t slot) except? -1 nogil
    cpdef int give_back(self, Py_ssize_t slot) except? -1 nogil
    cpdef Py_ssize_t take(self) except? -2 nogil
