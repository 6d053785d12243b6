"""`resolve_target`: a target that is a column, or an SQL expression over columns."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import duckdb

from shiplap.adapters.frames.infer import is_number
from shiplap.adapters.frames.query import walk
from shiplap.adapters.frames.session import plain, quoted
from shiplap.core.errors import BriefError, TableError, nearest
from shiplap.core.table import Table

__all__ = ["Target", "resolve_target"]

_REFUSED = {
    "SUBQUERY": "a subquery",
    "STAR": "a star",
    "WINDOW": "a window function",
    "PARAMETER": "a parameter",
    "LAMBDA": "a lambda",
    "POSITIONAL_REFERENCE": "a position",
    "DEFAULT": "DEFAULT",
}


@dataclass(frozen=True)
class Target:
    """What is to be predicted.

    Parameters
    ----------
    sql : str
        SQL over the relation ``rows``, in parentheses where it is an expression.
    columns : tuple of str
        The columns it is made from, in order of first use.
    name : str
        What to call it: the column, or the expression as it was given.
    """

    sql: str
    columns: tuple[str, ...]
    name: str


def resolve_target(table: Table, expression: str) -> Target:
    """Find the column that `expression` names, or check that it is an expression over columns.

    A column of exactly that name comes first, whatever characters are in it.

    Parameters
    ----------
    table : Table
        Whose columns are meant.
    expression : str
        A column name, or a scalar SQL expression such as ``arr_delay > 15``.

    Raises
    ------
    BriefError
        It is empty, names no column or an unknown one, is not valid SQL, or is more than an expression of one row:
        no subqueries, aggregates, windows, nor functions that depend on anything but their arguments.

    Examples
    --------
    >>> from shiplap.adapters.frames import read
    >>> table = read({"arr_delay": [3, 21], "carrier": ["UA", "AA"]})
    >>> resolve_target(table, "arr_delay > 15")
    Target(sql='(arr_delay > 15)', columns=('arr_delay',), name='arr_delay > 15')
    >>> resolve_target(table, "arr_dely > 15")
    Traceback (most recent call last):
    shiplap.core.errors.BriefError: the target names a column 'arr_dely' that the table has not
    (did you mean 'arr_delay'?)
    """
    text = expression.strip()
    if expression in table.schema:
        return Target(quoted(expression), (expression,), expression)
    if not text:
        raise BriefError(
            "no target is given", hint=f"say which column is to be predicted; {nearest('', table.schema.names)}"
        )
    nodes = _nodes(text, table)
    columns = _columns(nodes, table)
    if not columns:
        raise BriefError(f"the target '{text}' names no column", hint=nearest(text, table.schema.names))
    if len(nodes) == 1:
        return Target(quoted(columns[0]), columns, columns[0])
    _check(nodes, text)
    try:
        table.frame.fetch(f"SELECT count(({text})) FROM rows")
        kind = table.frame.fetch(f"SELECT typeof(({text})) FROM rows LIMIT 1")[0][0]
    except TableError as error:
        raise BriefError(
            f"the target '{text}' cannot be computed: {_message(error)}", hint=_hint(table, columns)
        ) from error
    if not (is_number(kind) or kind.startswith(("BOOLEAN", "VARCHAR", "DATE", "TIMESTAMP", "ENUM"))) or kind.endswith(
        "]"
    ):
        raise BriefError(f"the target '{text}' is not one value", hint="a target is an expression such as a > 15")
    return Target(f"({text})", columns, text)


def _nodes(text: str, table: Table) -> list[dict[str, Any]]:
    with duckdb.connect(":memory:") as connection:
        answer = connection.execute("SELECT json_serialize_sql(?)", [f"SELECT (\n{text}\n) FROM rows"]).fetchall()[0][0]
    tree = json.loads(answer)
    statements = tree.get("statements", [])
    if tree.get("error") or len(statements) != 1:
        raise BriefError(
            f"the target '{text}' is neither a column nor a valid SQL expression",
            hint=nearest(text, table.schema.names),
        )
    node = statements[0]["node"]
    chosen = node.get("select_list", [])
    plain_select = node.get("from_table", {}).get("table_name") == "rows" and not any(
        node.get(clause) for clause in ("where_clause", "group_expressions", "having", "qualify", "sample", "modifiers")
    )
    if len(chosen) != 1 or not plain_select:
        raise BriefError(f"the target '{text}' is not one expression", hint="a target is an expression such as a > 15")
    return [part for part in walk(chosen[0]) if "class" in part]


def _columns(nodes: list[dict[str, Any]], table: Table) -> tuple[str, ...]:
    known = {name.casefold(): name for name in table.schema.names}
    found = []
    for node in nodes:
        if node["class"] != "COLUMN_REF":
            continue
        path = node["column_names"]
        name = path[-1] if len(path) == 1 or path[:-1] == ["rows"] else path[0]
        if name.casefold() not in known:
            raise BriefError(
                f"the target names a column '{name}' that the table has not", hint=nearest(name, table.schema.names)
            )
        found.append(known[name.casefold()])
    return tuple(dict.fromkeys(found))


def _check(nodes: list[dict[str, Any]], text: str) -> None:
    for node in nodes:
        if node["class"] in _REFUSED:
            raise BriefError(f"the target '{text}' holds {_REFUSED[node['class']]}", hint="it must speak of one row")
    names = sorted({node["function_name"].lower() for node in nodes if node["class"] == "FUNCTION"})
    for name in names:
        found = _functions(name)
        if not found:
            raise BriefError(f"the target '{text}' uses an unknown function '{name}'")
        if any(
            kind not in ("scalar", "macro") or (stability or "CONSISTENT") != "CONSISTENT" for kind, stability in found
        ):
            raise BriefError(
                f"the target '{text}' uses '{name}', which is not a function of one row alone",
                hint="use arithmetic, comparisons and functions of the row's own values",
            )


def _functions(name: str) -> set[tuple[str, str | None]]:
    """Return kind and stability of all functions of one name."""
    with duckdb.connect(":memory:") as connection:
        sql = "SELECT function_type, stability FROM duckdb_functions() WHERE function_name = ?"
        return set(connection.execute(sql, [name]).fetchall())


def _message(error: TableError) -> str:
    cause = error.__cause__
    return plain(cause) if isinstance(cause, duckdb.Error) else str(error)


def _hint(table: Table, columns: tuple[str, ...]) -> str:
    return ", ".join(f"{name} is a {table.schema[name].kind}" for name in columns)
