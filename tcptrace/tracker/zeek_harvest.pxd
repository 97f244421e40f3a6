# Made by tests/declarations.py from zeek_harvest.py.
from tcptrace.tracker.completeness cimport Streams
from tcptrace.tracker.zeek_connection cimport ZeekConnections
