# Made by tests/declarations.py from odds.py.
cimport cython


@cython.final
cdef class Odds:
    cdef public object matrix
    cdef public int[::1] cells
    cdef public long long free

    cpdef int take(self) except? -1 nogil
    cpdef int write(self, long long[::1] cells, Py_ssize_t at) except? -1 nogil
    cpdef int read(self, Py_ssize_t place, long long[::1] out, Py_ssize_t at) except? -1 nogil
    cpdef int let_go(self, Py_ssize_t place) except? -1 nogil
    cpdef long long path(self, Py_ssize_t place) except? -1 nogil
    cpdef long long payload(self, Py_ssize_t place) except? -1 nogil
    cpdef long long interface(self, Py_ssize_t place) except? -1 nogil
