"""The operations of an encoding at work: each reads one value, or a whole column at once."""

from shiplap.scoring.readers.reader import Reader, reader_of

__all__ = ["Reader", "reader_of"]
