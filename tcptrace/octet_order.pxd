cdef inline unsigned int big_32(const unsigned char *octets) noexcept nogil:
    return (
        (<unsigned int> octets[0]) << 24
        | (<unsigned int> octets[1]) << 16
        | (<unsigned int> octets[2]) << 8
        | octets[3]
    )


cdef inline unsigned int little_32(const unsigned char *octets) noexcept nogil:
    return (
        (<unsigned int> octets[3]) << 24
        | (<unsigned int> octets[2]) << 16
        | (<unsigned int> octets[1]) << 8
        | octets[0]
    )
