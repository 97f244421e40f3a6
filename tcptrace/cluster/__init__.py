"""The same answer from many machines: `distributed.read_distributed` on a Dask cluster.

Files, and chunks of large ones, are decoded where a worker is free (`pieces`, `decoding`); what two
addresses said to each other goes to one worker, wherever it was decoded, and is tracked there
(`tracking`); tables are made of spans of connection numbers (`tables`). Every task is a function
of its arguments alone, so that what a lost worker held is made again.
"""
