"""Assess: whether machine learning would earn its effort here, before anything is built."""

from shiplap.scientist.assess.assess import assess

__all__ = ["assess"]
