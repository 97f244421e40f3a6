# Made by tests/declarations.py from plain.py.
from tcptrace.decode.checksums cimport Judge
from tcptrace.decode.octets cimport Octets
from tcptrace.decode.tcp_options cimport Options
