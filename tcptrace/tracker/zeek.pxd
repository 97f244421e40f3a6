from tcptrace.tracker.zeek_connection cimport Connection
from tcptrace.tracker.zeek_side cimport Side
