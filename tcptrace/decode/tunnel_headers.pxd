# Made by tests/declarations.py from tunnel_headers.py.
from tcptrace.decode.walker cimport Walker
