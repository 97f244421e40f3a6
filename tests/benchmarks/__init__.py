"""How fast we are, and how we stay so. What takes long or needs a quiet machine is run by hand.

`python -m tests.benchmarks` times ours beside the peers, for README's tables; `.counts` holds what
reading costs, without a clock, against a record, and is part of what CI runs; `.live_rate` asks
what a live capture carries.
"""
