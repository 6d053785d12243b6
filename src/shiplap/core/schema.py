"""`Schema`: what each column of a table holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from shiplap.core.errors import TableError, nearest

__all__ = ["Column", "Kind", "Schema"]

Kind = Literal["number", "boolean", "category", "date", "text", "id", "constant", "tensor", "image"]


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column.

    Parameters
    ----------
    name : str
        As it stands in the source.
    kind : Kind
        What it holds: how it is analysed and encoded.
    dtype : str
        Type in the source, in DuckDB's words (``BIGINT``, ``VARCHAR``, ``TIMESTAMP`` ...).
    nullable : bool
        Whether any value is missing.
    n_missing, n_distinct : int
        Counts over all rows; `n_distinct` may be approximate above 10,000.
    categories : tuple of str
        Values of a category, most frequent first; empty for other kinds and for more than 10,000.
    low, high : float or str or None
        Range of numbers; of dates as ISO 8601 text.
    missing : tuple of str
        Texts in this column that mean "missing", beside null (``"NA"``, ``"?"``, ``" "`` ...).
    true, false : tuple of str
        Texts that mean yes and no, where booleans came as text or digits.
    format : str
        ``strptime`` format of dates that came as text and are not ISO 8601.
    known_at : str or None
        From the brief.
    private : bool
        From the brief.
    shape : tuple of int
        Of a tensor: the shape of one row's value.
    """

    name: str
    kind: Kind
    dtype: str
    nullable: bool = False
    n_missing: int = 0
    n_distinct: int = 0
    categories: tuple[str, ...] = ()
    low: float | str | None = None
    high: float | str | None = None
    missing: tuple[str, ...] = ()
    true: tuple[str, ...] = ()
    false: tuple[str, ...] = ()
    format: str = ""
    known_at: str | None = None
    private: bool = False
    shape: tuple[int, ...] = ()


class Schema(msgspec.Struct, frozen=True):
    """The columns of a table, in order.

    Examples
    --------
    >>> schema = Schema((Column(name="age", kind="number", dtype="BIGINT"),))
    >>> schema["age"].kind, "age" in schema, schema.names
    ('number', True, ('age',))
    """

    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names in order."""
        return tuple(column.name for column in self.columns)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __contains__(self, name: object) -> bool:
        return any(column.name == name for column in self.columns)

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise TableError(f"the table has no column '{name}'", hint=nearest(name, self.names))

    def select(self, names: tuple[str, ...]) -> Schema:
        """Return the schema of some columns, in the order given; raises ``TableError`` for an unknown one."""
        return Schema(tuple(self[name] for name in names))
