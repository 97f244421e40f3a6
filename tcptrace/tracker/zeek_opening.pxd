# Made by tests/declarations.py from zeek_opening.py.
cimport cython


@cython.final
cdef class ZeekOpenings:
    cdef long long[::1] rows
    cdef long long[::1] cells
    cdef unsigned char[::1] seen

    cpdef int look(
        self, long long[::1] rows, long long[::1] cells, unsigned char[::1] seen
    ) except? -1
    cpdef bint take(self, size_t at, long long now) except? -1 nogil
    cdef bint _open(self, size_t at, size_t k, long long now) except? -1 nogil
    cdef bint _answer(self, size_t at, size_t k, long long now) except? -1 nogil
