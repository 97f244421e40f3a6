# Made by tests/declarations.py from closing.py.
from tcptrace.tracker.fin_order cimport FinOrder
from tcptrace.tracker.fin_receipt cimport FinReceipt
from tcptrace.tracker.fin_sending cimport FinSending
from tcptrace.tracker.fins cimport Fins
from tcptrace.tracker.witness cimport Witness
