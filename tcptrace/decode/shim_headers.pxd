# Made by tests/declarations.py from shim_headers.py.
from tcptrace.decode.walker cimport Walker
