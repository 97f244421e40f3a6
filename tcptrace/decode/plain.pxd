# Made by tests/declarations.py from plain.py.
from tcptrace.cells cimport clear_cells
from tcptrace.cells cimport move_cells
from tcptrace.decode.checksums cimport Judge
from tcptrace.decode.octets cimport Octets
from tcptrace.decode.tcp_options cimport Options
