"""The few SQL sentences that posing a question needs; expressions come from a checked target or a quoted name."""

from __future__ import annotations

__all__ = ["labelled", "quoted"]


def quoted(name: str) -> str:
    """Quote a column name for SQL.

    Examples
    --------
    >>> print(quoted('a "b'))
    "a ""b"
    """
    return '"' + name.replace('"', '""') + '"'


def labelled(what: str, target: str, *, tail: str = "ORDER BY rowid") -> str:
    """Select something of the rows that carry a label.

    Parameters
    ----------
    what : str
        SQL expressions, comma-separated.
    target : str
        SQL of the target.
    tail : str
        What follows the condition.

    Examples
    --------
    >>> labelled('"age"', '"left"')
    'SELECT "age" FROM rows WHERE ("left") IS NOT NULL ORDER BY rowid'
    """
    return " ".join(("SELECT", what, "FROM rows WHERE", f"({target}) IS NOT NULL", tail))
