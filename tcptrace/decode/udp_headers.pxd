# Made by tests/declarations.py from udp_headers.py.
from tcptrace.decode.walker cimport Walker
