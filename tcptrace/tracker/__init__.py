"""Segments become transitions: which connection, what each endpoint did, when, on what evidence.

`tracker.Tracker` takes `Segments` in batches of any size and gives a `Reconstruction`:
`Connections`, `Endpoints` and `Transitions` (in `transitions`). Whatever moves, moves by the
reference machine of `tcp.machine`; here it is only found out which events an endpoint had.
"""
