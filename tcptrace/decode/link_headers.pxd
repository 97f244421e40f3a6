# Made by tests/declarations.py from link_headers.py.
from tcptrace.decode.walker cimport Walker
