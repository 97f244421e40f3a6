# Made by tests/declarations.py from ip_headers.py.
from tcptrace.decode.walker cimport Walker
