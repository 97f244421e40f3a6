# Made by tests/declarations.py from plain.py.
from tcptrace.cells cimport clear
from tcptrace.cells cimport move
from tcptrace.decode.checksums cimport Judge
from tcptrace.decode.octets cimport Octets
from tcptrace.decode.ones_complement cimport fold
from tcptrace.decode.tcp_options cimport Options
