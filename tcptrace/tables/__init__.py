"""Transitions become DataFrames: `connections`, `timeline`, `segments`, and each one's columns.

Begin with `schema`, which declares every column of every table; `table` says what a column is.
"""
