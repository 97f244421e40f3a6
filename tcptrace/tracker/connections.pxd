# Made by tests/declarations.py from connections.py.
from tcptrace.tcp.sequence cimport diff
from tcptrace.tracker.four_tuples cimport FourTuples
from tcptrace.tracker.queues cimport Queues
from tcptrace.tracker.recent cimport Recent
from tcptrace.tracker.trains cimport Trains
