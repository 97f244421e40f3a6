# Made by tests/declarations.py from opening.py.
from tcptrace.tracker.first_copies cimport FirstCopies
from tcptrace.tracker.refuting cimport Refuting
from tcptrace.tracker.syn_received cimport SynReceived
from tcptrace.tracker.unseen_opening cimport UnseenOpening
from tcptrace.tracker.witness cimport Witness
