# Made by tests/declarations.py from pages.py.
cimport cython


@cython.final
cdef class Pages:
    cdef public object matrix
    cdef public unsigned char[::1] octets
    cdef public int[::1] links
    cdef public long long free

    cpdef Py_ssize_t begin(self) except? -1 nogil
    cpdef Py_ssize_t go_on(self, Py_ssize_t end) except? -1 nogil
    cpdef Py_ssize_t after(self, Py_ssize_t end) except? -1 nogil
    cpdef int let_go(self, Py_ssize_t at) except? -1 nogil
