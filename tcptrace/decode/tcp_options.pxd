# Made by tests/declarations.py from tcp_options.py.
cimport cython
from tcptrace.decode.octets cimport Octets


@cython.final
cdef class Options(Octets):
    cdef long long[::1] rows
    cdef long long[::1] tallies

    cdef long long read(
        self, Py_ssize_t row, Py_ssize_t at, Py_ssize_t end, Py_ssize_t kept_end
    ) except? -1 nogil
    cdef long long option(
        self, Py_ssize_t row, long long kind, Py_ssize_t at, long long length
    ) except? -1 nogil
    cdef long long is_experiment(
        self, long long kind, Py_ssize_t at, long long length
    ) except? -1 nogil
    cdef long long sack(self, Py_ssize_t row, Py_ssize_t at, long long blocks) except? -1 nogil
