# cython: boundscheck=True, wraparound=False, initializedcheck=False
from libc.string cimport memset

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define tcptrace_prefetch(address) __builtin_prefetch(address)
    #else
    #define tcptrace_prefetch(address) ((void) (address))
    #endif
    """
    void prefetch "tcptrace_prefetch" (const void *address) noexcept nogil


cdef inline long long *row_of(
    long long[::1] cells, Py_ssize_t at, Py_ssize_t width
) except NULL nogil:
    if width < 1 or at < 0 or at > cells.shape[0] - width:
        return &cells[cells.shape[0]]  # which is out of bounds
    return &cells[0] + at


cdef inline int *brief_of(int[::1] cells, Py_ssize_t at, Py_ssize_t width) except NULL nogil:
    if width < 1 or at < 0 or at > cells.shape[0] - width:
        return &cells[cells.shape[0]]
    return &cells[0] + at


cdef inline int clear(long long[::1] cells, Py_ssize_t start, Py_ssize_t count) except -1 nogil:
    if start < 0 or count < 0 or start > cells.shape[0] or count > cells.shape[0] - start:
        with gil:
            raise IndexError(start)
    if count > 0:
        memset(&cells[start], 0, count * sizeof(long long))
    return 0
