# Made by tests/declarations.py from ending.py.
from tcptrace.tracker.reset_receipt cimport ResetReceipt
from tcptrace.tracker.witness cimport Witness
