# Made by tests/declarations.py from telling.py.
from tcptrace.tracker.silence cimport Silence
from tcptrace.tracker.witness cimport Witness
