from libc.string cimport memmove, memset


cdef inline void clear_cells(long long *cells, Py_ssize_t count) noexcept nogil:
    memset(cells, 0, count * sizeof(long long))


cdef inline void move_cells(long long *to, const long long *cells, Py_ssize_t count) noexcept nogil:
    memmove(to, cells, count * sizeof(long long))
