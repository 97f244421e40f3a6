# Made by tests/declarations.py from telling.py.
from tcptrace.tracker.precedence cimport Precedence
from tcptrace.tracker.silence cimport Silence
from tcptrace.tracker.taken_back cimport TakenBack
from tcptrace.tracker.witness cimport Witness
