# Made by tests/declarations.py from ending.py.
from tcptrace.tracker.reset_receipt cimport ResetReceipt
from tcptrace.tracker.stray_resets cimport StrayResets
from tcptrace.tracker.witness cimport Witness
