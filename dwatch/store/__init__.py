"""The one writer of results, status changes, runs and leases.

Everything that changes a table of dwatch is a function of this package; each
takes plain values and does its work in one transaction.
"""
