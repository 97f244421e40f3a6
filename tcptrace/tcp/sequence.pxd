cdef inline long long diff(long long left, long long right) noexcept nogil:
    return ((left - right + 0x80000000LL) & 0xFFFFFFFFLL) - 0x80000000LL


cdef inline long long diff_16(long long left, long long right) noexcept nogil:
    return ((left - right + 0x8000) & 0xFFFF) - 0x8000
