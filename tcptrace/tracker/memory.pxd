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


cdef inline int clear(long long[::1] cells, Py_ssize_t start, Py_ssize_t count) except -1 nogil:
    if start < 0 or count < 0 or start > cells.shape[0] or count > cells.shape[0] - start:
        with gil:
            raise IndexError(start)
    if count > 0:
        memset(&cells[start], 0, count * sizeof(long long))
    return 0
