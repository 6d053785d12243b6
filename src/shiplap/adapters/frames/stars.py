"""``*`` means the columns: the rowid that a view carries beside them is left out of it, as a table's own would be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb

__all__ = ["without_rowid"]


def without_rowid(cursor: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Return a query in which no ``*`` over ``rows`` stands for the rowid; DuckDB's own parse of it is changed.

    Parameters
    ----------
    cursor : duckdb.DuckDBPyConnection
        Parses.
    sql : str
        A query; what is none is returned as it is, for DuckDB to refuse.

    Examples
    --------
    >>> without_rowid(duckdb.connect(), "SELECT count(*), sum(size * 2) FROM rows")
    'SELECT count(*), sum(size * 2) FROM rows'
    >>> without_rowid(duckdb.connect(), "FROM rows")
    'SELECT * EXCLUDE (rowid) FROM "rows"'
    """
    if "*" in sql or "select" not in sql.lower():
        tree = json.loads(cursor.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()[0][0])
        starred = [star for node in _selects(tree) for star in _excluding(node)]
        if starred:
            return str(cursor.execute("SELECT json_deserialize_sql(?)", [json.dumps(tree)]).fetchall()[0][0])
    return sql


def _excluding(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Let the stars of one SELECT leave the rowid out, and yield those that did."""
    sources = list(_sources(node["from_table"]))
    ours = [alias for alias, is_rows in sources if is_rows]
    for star in _stars(node["select_list"]):
        meant = [alias for alias in ours if star["relation_name"].casefold() in ("", alias.casefold())]
        if meant and (len(sources) == 1 or star["relation_name"]):
            star["exclude_list"].append("rowid")
        else:
            star["qualified_exclude_list"] += [
                {"catalog": "", "schema": "", "table": alias, "column": "rowid"} for alias in meant
            ]
        if meant:
            yield star


def _selects(tree: Any) -> Iterator[dict[str, Any]]:
    if isinstance(tree, dict):
        if tree.get("type") == "SELECT_NODE":
            yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for part in tree:
            yield from _selects(part)


def _stars(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield the stars of a SELECT, not those of others inside it."""
    if isinstance(tree, dict):
        if tree.get("class") == "STAR":
            yield tree
        tree = [] if str(tree.get("type", "")).endswith("_NODE") else list(tree.values())
    if isinstance(tree, list):
        for part in tree:
            yield from _stars(part)


def _sources(source: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Yield the name of everything that a SELECT reads, and whether it is the relation ``rows``."""
    if source["type"] == "JOIN":
        yield from _sources(source["left"])
        yield from _sources(source["right"])
    else:
        name = str(source.get("table_name", ""))
        yield source.get("alias") or name, source["type"] == "BASE_TABLE" and name.casefold() == "rows"
