# Made by tests/declarations.py from zeek.py.
from tcptrace.tracker.completeness cimport Streams
from tcptrace.tracker.memory cimport prefetch
from tcptrace.tracker.zeek_connection cimport ZeekConnections
from tcptrace.tracker.zeek_opening cimport ZeekOpenings
from tcptrace.tracker.zeek_packet cimport ZeekPackets
