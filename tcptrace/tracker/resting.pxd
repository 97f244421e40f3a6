# Made by tests/declarations.py from resting.py.
from tcptrace.tracker.evidence cimport EvidenceLog
from tcptrace.tracker.packing cimport Packing
from tcptrace.tracker.pages cimport Pages
