# Made by tests/declarations.py from checksums.py.
cimport cython
from tcptrace.decode.octets cimport Octets
from tcptrace.decode.ones_complement cimport fold


@cython.final
cdef class Judge(Octets):
    cdef long long[::1] tallies

    cdef long long of_row(self, long long[::1] datagrams, Py_ssize_t base) except? -1 nogil
    cdef long long verdict(
        self, long long field, long long addresses, long long length, long long total
    ) except? -1 nogil
    cdef long long total(self, Py_ssize_t at, Py_ssize_t end) except? -1 nogil
