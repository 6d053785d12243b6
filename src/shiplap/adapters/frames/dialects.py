"""SQL written once in DuckDB's dialect, said in the dialect of the place where the rows lie.

sqlglot knows most of the way. The tables below say the rest: functions that it passes on under a name the place does
not have, and ones that have the same name there and another meaning (Spark's ``log`` is the natural one, its days of
the week start with 1). The test of the dialects asks every place for each of them and compares the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlglot
from sqlglot import exp

from shiplap.core.errors import TableError

__all__ = ["Describe", "translated"]

Describe = Callable[[str], str]
"""``(expression) -> type`` of a DuckDB expression over ``rows``, for ``typeof``."""

_EPOCH = "TIMESTAMP_NTZ '1970-01-01 00:00:00'"
_NODES: dict[str, dict[type[exp.Expr], str]] = {
    "postgres": {
        exp.AnyValue: "(ARRAY_AGG(:this) FILTER (WHERE NOT :this IS NULL))[1]",
        exp.ApproxDistinct: "COUNT(DISTINCT :this)",
        exp.ApproxQuantile: "PERCENTILE_CONT(:quantile) WITHIN GROUP (ORDER BY :this)",
        exp.ArgMax: "(ARRAY_AGG(:this ORDER BY :expression DESC NULLS LAST))[1]",
        exp.ArgMin: "(ARRAY_AGG(:this ORDER BY :expression NULLS LAST))[1]",
        exp.Contains: "(STRPOS(:this, :expression) > 0)",
        exp.CountIf: "COUNT(*) FILTER (WHERE :this)",
        exp.DayOfWeek: "EXTRACT(DOW FROM :this)",
        exp.DayOfWeekIso: "EXTRACT(ISODOW FROM :this)",
        exp.IntDiv: "FLOOR(:this / :expression)",
        exp.IsNan: "(:this = 'NaN')",
        exp.RegexpFullMatch: "(:this ~ ('^(?:' || :expression || ')$'))",
        exp.StrToTime: "CAST(TO_TIMESTAMP(:this, :format) AS TIMESTAMP)",
    },
    "spark": {
        exp.ApproxQuantile: "PERCENTILE_APPROX(:this, :quantile, 10000)",
        exp.DayOfWeek: "(DAYOFWEEK(:this) - 1)",
        exp.DayOfWeekIso: "(WEEKDAY(:this) + 1)",
        exp.PercentileCont: "PERCENTILE(:this, :expression)",
        exp.RegexpFullMatch: "(:this RLIKE CONCAT('^(?:', :expression, ')$'))",
        exp.StrToTime: "TO_TIMESTAMP_NTZ(:this, :format)",
        exp.TimeToUnix: f"(TIMESTAMPDIFF(MICROSECOND, {_EPOCH}, :this) / 1000000)",
    },
}
"""What a node of the tree becomes; ``:name`` stands for the argument of that name."""
_FUNCTIONS: dict[str, dict[str, str]] = {
    "postgres": {
        "epoch_us": "CAST(EXTRACT(EPOCH FROM :this) * 1000000 AS BIGINT)",
        "isfinite": "(NOT :this IN ('NaN', 'Infinity', '-Infinity'))",
        "strlen": "OCTET_LENGTH(:this)",
    },
    "spark": {
        "epoch_us": f"TIMESTAMPDIFF(MICROSECOND, {_EPOCH}, :this)",
        "isfinite": "(ABS(:this) < DOUBLE('Infinity'))",
        "strlen": "OCTET_LENGTH(:this)",
    },
}
"""The same for functions of one argument that sqlglot has no node for."""
_FORMATS = {
    "postgres": {
        "%d": "DD", "%m": "MM", "%Y": "YYYY", "%y": "YY", "%b": "Mon", "%B": "Month",
        "%H": "HH24", "%I": "HH12", "%M": "MI", "%S": "SS", "%p": "AM",
    },
    "spark": {
        "%d": "d", "%m": "M", "%Y": "y", "%y": "yy", "%b": "MMM", "%B": "MMMM",
        "%H": "H", "%I": "h", "%M": "m", "%S": "s", "%p": "a",
    },
}  # fmt: skip
"""How places write what ``strptime`` formats say; the readers of both take one digit for two."""
_ROLLING = (exp.Lag, exp.Lead, exp.RowNumber, exp.First, exp.Last, exp.FirstValue, exp.LastValue)
_INTEGERS = (exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT)


def translated(sql: str, dialect: str, *, columns: Sequence[str], describe: Describe) -> str:
    """Say a query over ``rows`` in another dialect.

    Beside words it carries over what DuckDB takes for granted: ``*`` is the columns without the rowid, a window
    without an order follows the order of the rows, and missing values sort last.

    Parameters
    ----------
    sql : str
        One query in DuckDB's dialect.
    dialect : str
        ``postgres`` or ``spark``.
    columns : sequence of str
        The columns of ``rows`` in order.
    describe : callable
        Tells the type of an expression over ``rows``, as DuckDB calls it.

    Raises
    ------
    TableError
        It cannot be read.

    Examples
    --------
    >>> said = translated("SELECT approx_count_distinct(plan) FROM rows", "postgres", columns=["plan"], describe=str)
    >>> said
    'SELECT COUNT(DISTINCT plan) FROM rows'
    """
    try:
        tree = sqlglot.parse_one(sql, read="duckdb")
    except sqlglot.errors.ParseError as error:
        raise TableError(f"the query cannot be said in the dialect of {dialect}: {sql}") from error
    for node in reversed(list(tree.walk(bfs=False))):  # what lies deeper first: templates hold what became of it
        if isinstance(node, exp.Select):
            _expand_star(node, columns)
        elif (new := _said(node, dialect, describe)) is not None:
            if node is tree:
                tree = new
            node.replace(new)
    return tree.sql(dialect, unsupported_level=sqlglot.ErrorLevel.IGNORE)


def _said(node: exp.Expr, dialect: str, describe: Describe) -> exp.Expr | None:
    """Return what a node becomes in a dialect; None where sqlglot says it right."""
    if isinstance(node, exp.Typeof):
        return exp.Literal.string(describe(node.this.sql("duckdb")))
    if isinstance(node, exp.StrToTime):
        node.set("format", exp.Literal.string(_format(node.args["format"].name, dialect)))
    if isinstance(node, exp.IgnoreNulls) and dialect == "postgres":
        return node.this  # type: ignore[no-any-return]
    if isinstance(node, exp.Window) and isinstance(node.this, _ROLLING) and not node.args.get("order"):
        return _ordered(node)
    if isinstance(node, exp.Anonymous):
        return _function(node, dialect)
    if isinstance(node, exp.Log) and node.expression is None:
        return exp.Log(this=exp.Literal.number(10), expression=node.this) if dialect == "spark" else None
    if dialect == "postgres" and isinstance(node, exp.Mod | exp.Round | exp.Log):
        return _in_decimals(node)
    if isinstance(node, exp.Cast):
        return _cast(node, dialect)
    template = _NODES[dialect].get(type(node))
    return _filled(template, dialect, node.args) if template else None


def _filled(template: str, dialect: str, arguments: dict[str, exp.Expr]) -> exp.Expr:
    tree = sqlglot.parse_one(template, read=dialect)
    for placeholder in list(tree.find_all(exp.Placeholder)):
        placeholder.replace(arguments[placeholder.name].copy())
    return tree


def _function(node: exp.Anonymous, dialect: str) -> exp.Expr | None:
    """Say a function that sqlglot has no node for; the hash of several values holds apart which of them are missing."""
    name, given = node.name.lower(), node.expressions
    if name == "hash" and dialect == "postgres":
        row = exp.cast(exp.Anonymous(this="ROW", expressions=given), "TEXT")
        return exp.Anonymous(this="HASHTEXTEXTENDED", expressions=[row, exp.Literal.number(0)])
    if name == "hash":
        told = [part for value in given for part in (exp.Is(this=value.copy(), expression=exp.Null()), value)]
        return exp.Anonymous(this="XXHASH64", expressions=told)
    template = _FUNCTIONS[dialect].get(name)
    return _filled(template, dialect, {"this": given[0]}) if template else None


def _cast(node: exp.Cast, dialect: str) -> exp.Expr | None:
    """Cast to whole numbers as DuckDB does, which rounds to the nearest, ties to the even one."""
    kind, value = node.to.this, node.this
    if kind == exp.DType.INT128 and dialect == "postgres":
        return exp.Round(this=exp.cast(value, "DECIMAL"))
    if kind == exp.DType.INT128:
        return type(node)(this=value, to=exp.DataType.build("DECIMAL(38, 0)"))
    fraction = isinstance(value, exp.Div | exp.Paren | exp.Mul | exp.Column) and not isinstance(value, exp.Boolean)
    if kind in _INTEGERS and dialect == "spark" and fraction and not isinstance(value.unnest(), exp.Predicate):
        return exp.cast(exp.Anonymous(this="RINT", expressions=[value]), node.to)
    return None


def _in_decimals(node: exp.Expr) -> exp.Expr | None:
    """Let PostgreSQL compute in decimals what it does not compute with doubles; whole numbers of the rowid stay."""
    if isinstance(node, exp.Round) and node.args.get("decimals") is None:
        return None
    if isinstance(node, exp.Mod) and all(column.name == "rowid" for column in node.find_all(exp.Column)):
        return None
    node = node.copy()
    for name in ("this", "expression"):
        if (value := node.args.get(name)) is not None:
            node.set(name, exp.cast(value.unnest(), "DECIMAL"))
    return exp.cast(node, "DOUBLE")


def _ordered(window: exp.Window) -> exp.Expr:
    window = window.copy()
    window.set("order", exp.Order(expressions=[exp.Ordered(this=exp.column("rowid"), nulls_first=False)]))
    return window


def _expand_star(select: exp.Select, columns: Sequence[str]) -> None:
    """Name the columns that ``*`` stands for where it is all of the relation, which has a rowid beside them."""
    source = select.args.get("from_")
    plain = source is not None and isinstance(source.this, exp.Table) and source.this.name in ("rows", "raw")
    if not plain or select.args.get("joins"):
        return
    named = [exp.column(name, quoted=True) for name in columns]
    select.set(
        "expressions",
        [part for one in select.expressions for part in (named if isinstance(one, exp.Star) else [one])],
    )


def _format(form: str, dialect: str) -> str:
    for word, said in _FORMATS[dialect].items():
        form = form.replace(word, said)
    return form
