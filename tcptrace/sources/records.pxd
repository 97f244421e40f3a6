# Made by tests/declarations.py from records.py.
from tcptrace.octet_order cimport big_32
from tcptrace.octet_order cimport little_32
