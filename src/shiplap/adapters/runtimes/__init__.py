"""Runtimes: what turns a graph and a matrix into numbers."""

from shiplap.adapters.runtimes.protocol import Bound, Runtime, runtimes

__all__ = ["Bound", "Runtime", "runtimes"]
