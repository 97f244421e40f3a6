# Made by tests/declarations.py from zeek.py.
from tcptrace.tracker.completeness cimport Streams
from tcptrace.tracker.zeek_connection cimport Connection
from tcptrace.tracker.zeek_side cimport Side
