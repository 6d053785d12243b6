"""`Encoding`: how a row becomes numbers, as a closed list of declarative operations. No code.

Each operation reads one column and writes `width` neighbouring numbers of a double matrix of shape
``(n_rows, encoding.width)``; the graph takes that matrix. NaN stands for missing and is written ``null`` in JSON.
The meaning of each operation, value by value, is specified in ``docs/ship-format.md``.
"""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Boolean", "Category", "Date", "DatePart", "Encoding", "Number", "Operation"]

DatePart = Literal["year", "month", "day", "weekday", "day_of_year", "hour", "minute", "second", "epoch_s"]


class _Operation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="op"):
    column: str
    missing: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many numbers it writes."""
        return 1


class Number(_Operation, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="number"):
    """A number, or a text that is one; null, NaN, the empty text and the texts in `missing` give NaN.

    Parameters
    ----------
    column : str
        The column it reads.
    missing : tuple of str
        Further texts that mean "missing".
    """


class Boolean(_Operation, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="boolean"):
    """Yes or no, as 1 and 0; missing gives NaN.

    Parameters
    ----------
    true, false : tuple of str
        Texts that mean yes and no, beside ``true``/``false`` and 1/0.
    """

    true: tuple[str, ...] = ()
    false: tuple[str, ...] = ()


class Category(_Operation, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="category"):
    """A value of a vocabulary, as numbers.

    Parameters
    ----------
    categories : tuple of str, or tuple of float
        The vocabulary: all texts, or all numbers; where it holds numbers, values are compared as numbers.
    values : tuple of tuple of (float or None)
        Row of numbers for each category, all of the same length; the position (0, 1, ...) when empty.
    if_missing, if_unseen : tuple of (float or None)
        Numbers for a missing and for an unseen value.
    """

    categories: tuple[str | float, ...]
    values: tuple[tuple[float | None, ...], ...] = ()
    if_missing: tuple[float | None, ...] = (None,)
    if_unseen: tuple[float | None, ...] = (None,)

    @property
    def width(self) -> int:
        """How many numbers it writes."""
        return len(self.if_missing)


class Date(_Operation, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="date"):
    """Parts of a moment; ISO 8601 text, or text of `format`. Missing gives NaN in every part.

    Parameters
    ----------
    parts : tuple of DatePart
        What is written, in order. ``weekday`` is 0 on Monday; ``epoch_s`` is seconds since 1970 (UTC where the value
        has a zone, else as written).
    format : str
        ``strptime`` format; empty for ISO 8601.
    """

    parts: tuple[DatePart, ...]
    format: str = ""

    @property
    def width(self) -> int:
        """How many numbers it writes."""
        return len(self.parts)


Operation = Number | Boolean | Category | Date


class Encoding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All operations of a ship, in the order of the matrix's columns.

    Parameters
    ----------
    version : int
        Version of the list of operations.
    operations : tuple of Operation
        Two operations may read the same column.

    Examples
    --------
    >>> encoding = Encoding(operations=(Number(column="age"), Date(column="at", parts=("month", "hour"))))
    >>> encoding.width, encoding.columns
    (3, ('age', 'at'))
    """

    version: int = 1
    operations: tuple[Operation, ...] = ()

    @property
    def width(self) -> int:
        """Number of columns of the encoded matrix."""
        return sum(operation.width for operation in self.operations)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it reads, each once, in order of first use."""
        return tuple(dict.fromkeys(operation.column for operation in self.operations))
