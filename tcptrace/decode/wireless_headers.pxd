# Made by tests/declarations.py from wireless_headers.py.
from tcptrace.decode.walker cimport Walker
