"""Explore: what the table holds, how good it is, and which columns know the answer too well."""

from shiplap.scientist.explore.explore import explore

__all__ = ["explore"]
