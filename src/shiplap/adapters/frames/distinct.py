"""Distinct values of many columns, counted in PostgreSQL by hashing in one pass: ``count(DISTINCT)`` sorts for each."""

from __future__ import annotations

import sqlglot
from sqlglot import exp

__all__ = ["count_by_hashing"]

_NAME = "distinct_values"


def count_by_hashing(tree: exp.Expr) -> exp.Expr:
    """Let the distinct counts of an aggregate over all rows come from one grouping, with a set for each.

    Parameters
    ----------
    tree : sqlglot.exp.Expr
        A query. One that is anything else than several aggregates over ``rows`` or ``raw`` is returned as it is.

    Examples
    --------
    >>> asked = sqlglot.parse_one("SELECT count(DISTINCT a), approx_count_distinct(b) FROM rows")
    >>> count_by_hashing(asked).sql().partition(" FROM (SELECT v0")[0]
    'WITH distinct_values AS (SELECT COUNT(v0) AS v0, COUNT(v1) AS v1'
    """
    source = tree.args.get("from_")
    plain = {name for name, value in tree.args.items() if value} <= {"kind", "expressions", "from_"}
    if not isinstance(tree, exp.Select) or not plain or not source or not isinstance(source.this, exp.Table):
        return tree
    counted = [(node, value) for node in tree.find_all(exp.Count, exp.ApproxDistinct) if (value := _distinct(node))]
    if len(counted) < 2 or tree.find(exp.Subquery, exp.Window):
        return tree
    names = [f"v{place}" for place in range(len(counted))]
    keys = ", ".join(f"{value.sql('duckdb')} AS {name}" for (_, value), name in zip(counted, names, strict=True))
    sums, sets = (", ".join(form.format(name) for name in names) for form in ("count({0}) AS {0}", "({0})"))
    keyed = f"(SELECT {keys} {source.sql('duckdb')}) AS keyed"
    grouped = f"(SELECT {', '.join(names)} FROM {keyed} GROUP BY GROUPING SETS ({sets})) AS grouped"
    for (node, _), name in zip(counted, names, strict=True):
        node.replace(sqlglot.parse_one(f"(SELECT {name} FROM {_NAME})", read="duckdb"))
    return tree.with_(_NAME, as_=sqlglot.parse_one(f"SELECT {sums} FROM {grouped}", read="duckdb"))


def _distinct(node: exp.Expr) -> exp.Expr | None:
    """Return the one expression whose distinct values are counted; None where it is another count."""
    if isinstance(node.parent, exp.Filter):
        return None
    values: list[exp.Expr] = [node.this] if isinstance(node, exp.ApproxDistinct) else []
    if isinstance(node.this, exp.Distinct):
        values = node.this.expressions
    return values[0] if len(values) == 1 and not isinstance(values[0], exp.Tuple) else None
