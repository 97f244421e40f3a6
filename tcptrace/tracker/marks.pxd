cdef inline unsigned long long mark(
    unsigned long long high, unsigned long long low, unsigned long long ports, unsigned long long key
) noexcept nogil:
    return (low + high * 0xFF51AFD7ED558CCDULL + ports * 0xC4CEB9FE1A85EC53ULL) * key
