from libc.string cimport memmove, memset


cdef inline int clear(long long[::1] cells, Py_ssize_t at, Py_ssize_t count) except -1 nogil:
    if at < 0 or count < 0 or at > cells.shape[0] - count:
        with gil:
            raise IndexError(at)
    if count:
        memset(&cells[at], 0, count * sizeof(long long))
    return 0


cdef inline int move(
    long long[::1] cells, Py_ssize_t to, Py_ssize_t at, Py_ssize_t count
) except -1 nogil:
    if to < 0 or at < 0 or count < 0 or max(to, at) > cells.shape[0] - count:
        with gil:
            raise IndexError(max(to, at))
    if count:
        memmove(&cells[to], &cells[at], count * sizeof(long long))
    return 0
