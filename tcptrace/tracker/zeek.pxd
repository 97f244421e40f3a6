# Made by tests/declarations.py from zeek.py.
from tcptrace.tracker.completeness cimport Streams
from tcptrace.tracker.memory cimport prefetch
from tcptrace.tracker.zeek_connection cimport ZeekConnections
from tcptrace.tracker.zeek_history cimport ZeekHistories
from tcptrace.tracker.zeek_side cimport ZeekSides
from tcptrace.tracker.zeek_timers cimport ZeekTimers
