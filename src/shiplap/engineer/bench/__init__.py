"""Bench: what a ship costs on this machine - latency, throughput, cold start, memory, size - against its budget."""

from shiplap.engineer.bench.benching import bench

__all__ = ["bench"]
