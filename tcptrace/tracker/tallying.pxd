# Made by tests/declarations.py from tallying.py.
from tcptrace.tracker.memory cimport clear
from tcptrace.tracker.memory cimport prefetch
