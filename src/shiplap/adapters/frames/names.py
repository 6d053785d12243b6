"""Column names: what DuckDB cannot hold apart is refused by name instead of being renamed."""

from __future__ import annotations

from collections.abc import Iterable

from shiplap.core.errors import TableError

__all__ = ["check_names"]


def check_names(names: Iterable[str], where: str) -> None:
    """Refuse names that occur twice, differ only in case, are empty, or are ``rowid``.

    Raises
    ------
    TableError
        The message names the column.

    Examples
    --------
    >>> check_names(["age", "plan", "age"], "'rows.csv'")
    Traceback (most recent call last):
    shiplap.core.errors.TableError: 'rows.csv' has the column 'age' more than once (rename one of them)
    """
    seen: dict[str, str] = {}
    for name in names:
        folded = name.casefold()
        if not name:
            raise TableError(f"{where} has a column without a name", hint="name it")
        if folded == "rowid":
            raise TableError(f"{where} has a column '{name}', which means the order of the rows here", hint="rename it")
        if seen.get(folded) == name:
            raise TableError(f"{where} has the column '{name}' more than once", hint="rename one of them")
        if folded in seen:
            raise TableError(
                f"{where} has the columns '{seen[folded]}' and '{name}', which differ only in case",
                hint="rename one of them",
            )
        seen[folded] = name
