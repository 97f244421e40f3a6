cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define tcptrace_prefetch(address) __builtin_prefetch(address)
    #else
    #define tcptrace_prefetch(address) ((void) (address))
    #endif
    """
    void prefetch "tcptrace_prefetch" (const void *address) noexcept nogil
