"""Leaks: evidence that a column knows the answer, or that a split lets rows know each other."""

from shiplap.methods.leaks.battery import Evidence, looked_for
from shiplap.methods.leaks.between import Between, between_rows
from shiplap.methods.leaks.found import failed_columns

__all__ = ["Between", "Evidence", "between_rows", "failed_columns", "looked_for"]
