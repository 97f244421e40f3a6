# Made by tests/declarations.py from tcp_headers.py.
from tcptrace.decode.octets cimport Octets
from tcptrace.decode.tcp_options cimport Options
