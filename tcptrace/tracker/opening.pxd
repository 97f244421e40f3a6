# Made by tests/declarations.py from opening.py.
from tcptrace.tracker.refuting cimport Refuting
from tcptrace.tracker.syn_received cimport SynReceived
from tcptrace.tracker.witness cimport Witness
