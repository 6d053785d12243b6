"""An SQL query over files: what it may say, and which files it names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from shiplap.adapters.frames.session import plain
from shiplap.core.errors import TableError

__all__ = ["Query", "parsed_query", "walk"]

_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE", "RECURSIVE_CTE_NODE"})
_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})
_HINT = "write one SELECT over files, such as SELECT * FROM 'rows.csv'"


@dataclass(frozen=True)
class Query:
    """A query that was checked.

    Parameters
    ----------
    sql : str
        The statement.
    names : tuple of str
        The files it names, as they are written there, each once, in order.
    """

    sql: str
    names: tuple[str, ...]


def parsed_query(sql: str) -> Query:
    """Check a query and find the files it names, in DuckDB's own parse of it.

    Only one SELECT statement is taken: it cannot write, attach or set anything. Files are named in place of tables
    (``FROM 'rows.csv'``); the only table functions are ``range``, ``generate_series`` and ``unnest``.

    Raises
    ------
    TableError
        It is not valid SQL, is more than one statement or something else than a SELECT, or names something else
        than files.

    Examples
    --------
    >>> parsed_query("SELECT * FROM 'a.csv' JOIN 'b.parquet' USING (k)").names
    ('a.csv', 'b.parquet')
    """
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise TableError(f"the query is not valid SQL: {plain(error)}", hint=_HINT) from error
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise TableError("the query is not one SELECT statement", hint=_HINT)
    with duckdb.connect(":memory:") as connection:
        answer = connection.execute("SELECT json_serialize_sql(?)", [statements[0].query]).fetchall()[0][0]
    tree = json.loads(answer)
    if tree.get("error"):
        raise TableError(f"the query is not one SELECT statement: {tree.get('error_message', '')}", hint=_HINT)
    nodes = list(walk(tree))
    _check(nodes)
    local = {entry["key"].casefold() for node in nodes for entry in _ctes(node)}
    names = [node["table_name"] for node in nodes if node.get("type") == "BASE_TABLE"]
    files = tuple(dict.fromkeys(name for name in names if name.casefold() not in local))
    if not files:
        raise TableError("the query names no file", hint=_HINT)
    return Query(statements[0].query.rstrip().rstrip(";"), files)


def walk(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a JSON tree, parents first."""
    if isinstance(tree, dict):
        yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for part in tree:
            yield from walk(part)


def _ctes(node: dict[str, Any]) -> list[dict[str, Any]]:
    entries = node.get("cte_map")
    return entries.get("map", []) if isinstance(entries, dict) else []


def _check(nodes: list[dict[str, Any]]) -> None:
    for node in nodes:
        kind = str(node.get("type", ""))
        if kind.endswith("_NODE") and kind not in _NODES:
            raise TableError(f"the query may only select, not {kind.removesuffix('_QUERY_NODE').lower()}", hint=_HINT)
        if kind == "TABLE_FUNCTION" and node["function"]["function_name"].lower() not in _FUNCTIONS:
            function = node["function"]["function_name"]
            hint = "name a file in its place: FROM 'rows.csv'" if function.startswith(("read", "parquet")) else _HINT
            raise TableError(f"the query may not use the table function '{function}'", hint=hint)
        if kind == "BASE_TABLE" and (node.get("schema_name") or node.get("catalog_name")):
            name = ".".join(filter(None, (node.get("catalog_name"), node.get("schema_name"), node["table_name"])))
            raise TableError(f"the query names the table '{name}', not a file", hint="put file names in quotes")
        if kind == "SHOW_REF" or "show_type" in node:
            raise TableError("the query may not describe or summarize", hint=_HINT)
