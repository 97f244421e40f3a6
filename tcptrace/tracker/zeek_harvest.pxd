# Made by tests/declarations.py from zeek_harvest.py.
from tcptrace.tracker.zeek_connection cimport Connection
from tcptrace.tracker.zeek_side cimport Side
