"""Leaks: evidence that a column knows the answer, or that a split lets rows know each other."""

from shiplap.methods.leaks.battery import Evidence, failed_columns, looked_for

__all__ = ["Evidence", "failed_columns", "looked_for"]
