# Made by tests/declarations.py from ip_headers.py.
from tcptrace.decode.ones_complement cimport fold
from tcptrace.decode.walker cimport Walker
