cdef inline long long fold(long long total) noexcept nogil:
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total
