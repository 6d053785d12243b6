"""Arrow: tables as bytes of the Arrow IPC stream, read from whoever sends them, and written."""

from shiplap.adapters.arrow.stream import TooManyRowsError, read_batches, write_stream

__all__ = ["TooManyRowsError", "read_batches", "write_stream"]
