# cython: boundscheck=True, wraparound=False, initializedcheck=False
# Made by tests/declarations.py from walker.py.
cimport cython


cdef class Walker:
    cdef long long[::1] cells
    cdef const unsigned char[::1] data
    cdef long long group
    cdef long long truncated
    cdef long long unknown
    cdef Py_ssize_t base
    cdef Py_ssize_t at
    cdef Py_ssize_t kept
    cdef Py_ssize_t end
    cdef long long header
    cdef long long reason

    @cython.final
    cdef long long walk(self) except? -1 nogil
    @cython.final
    cdef long long walk_row(self, Py_ssize_t base) except? -1 nogil
    cdef long long step(self) except? -1 nogil
    @cython.final
    cdef long long skip(self, long long reason) except? -1 nogil
    @cython.final
    cdef long long by_version(self, Py_ssize_t at, long long otherwise) except? -1 nogil
    @cython.final
    cdef long long add_to_path(self, long long number) except? -1 nogil
    @cython.final
    cdef inline long long become(self, long long header, Py_ssize_t at) except? -1 nogil:
        self.header = header
        self.at = at
        return 0
    @cython.final
    cdef inline long long has(self, Py_ssize_t count) except? -1 nogil:
        if self.at + count <= self.kept:
            return 1
        self.skip(self.truncated)
        return 0
    @cython.final
    cdef inline long long u16(self, Py_ssize_t at) except? -1 nogil:
        return self.data[at] << 8 | self.data[at + 1]
    @cython.final
    cdef inline long long u24(self, Py_ssize_t at) except? -1 nogil:
        return self.data[at] << 16 | self.u16(at + 1)
    @cython.final
    cdef inline long long u32(self, Py_ssize_t at) except? -1 nogil:
        return self.u16(at) << 16 | self.u16(at + 2)
