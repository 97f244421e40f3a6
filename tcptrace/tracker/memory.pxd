# cython: boundscheck=True, wraparound=False, initializedcheck=False
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


cdef inline int low_32(long long value) noexcept nogil:
    return <int> (((value + 0x80000000LL) & 0xFFFFFFFFLL) - 0x80000000LL)
