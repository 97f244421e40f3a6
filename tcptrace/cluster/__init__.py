"""The same answer from many machines: `distributed.read_distributed` on a Dask cluster.

Files are decoded where a worker is free (`decoding`); what two addresses said to each other goes
to one worker, whatever files it is in, and is tracked there (`tracking`); tables are made of
spans of connection numbers (`tables`). Every task is a function of its arguments alone, so that
what a lost worker held is made again.
"""
