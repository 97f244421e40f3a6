from tcptrace.tracker.four_tuples cimport FourTuples
