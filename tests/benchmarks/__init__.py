"""Measurements that take long or need a quiet machine: run by hand, no part of the suite."""
