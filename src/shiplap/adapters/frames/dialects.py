"""SQL written once in DuckDB's dialect, said in the dialect of the place where the rows lie.

sqlglot knows most of the way. The tables below say the rest: functions that it passes on under a name the place does
not have, and ones that have the same name there and another meaning (Spark's ``log`` is the natural one, its days of
the week start with 1). The test of the dialects asks every place for each of them and compares the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sqlglot
from sqlglot import exp

from shiplap.adapters.frames.distinct import count_by_hashing
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
        exp.DayOfYear: "EXTRACT(DOY FROM :this)",
        exp.Hour: "EXTRACT(HOUR FROM :this)",
        exp.IntDiv: "TRUNC(:this / :expression)",
        exp.IsNan: "(:this = 'NaN')",
        exp.Minute: "EXTRACT(MINUTE FROM :this)",
        exp.Quarter: "EXTRACT(QUARTER FROM :this)",
        exp.RegexpFullMatch: "(:this ~ ('^(?:' || :expression || ')$'))",
        exp.StrToTime: "CAST(TO_TIMESTAMP(:this, :format) AS TIMESTAMP)",
        exp.Week: "EXTRACT(WEEK FROM :this)",
    },
    "spark": {
        exp.ApproxQuantile: "PERCENTILE_APPROX(:this, :quantile, 10000)",
        exp.DayOfWeek: "(DAYOFWEEK(:this) - 1)",
        exp.DayOfWeekIso: "(WEEKDAY(:this) + 1)",
        exp.IsNan: "(:this = DOUBLE('NaN'))",
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
_SPARK_PARTS = {"DOW": exp.DayOfWeek, "ISODOW": exp.DayOfWeekIso, "EPOCH": exp.TimeToUnix}
"""Parts of moments that Spark counts otherwise, or not at all, under ``extract``."""
_RELATIONS = ("rows", "raw")
_ROLLING = (exp.Lag, exp.Lead, exp.RowNumber, exp.First, exp.Last, exp.FirstValue, exp.LastValue)
_WHOLE = ("TINYINT", "SMALLINT", "INT", "INTEGER", "BIGINT", "HUGEINT", "INT128")


def translated(sql: str, dialect: str, *, columns: Sequence[str], describe: Describe) -> str:
    """Say a query over ``rows`` in another dialect.

    Beside words it carries over what DuckDB takes for granted: the case of names does not matter, ``*`` is the columns
    without the rowid, a window without an order follows the order of the rows, and missing values sort last.

    Parameters
    ----------
    sql : str
        One query in DuckDB's dialect.
    dialect : str
        ``postgres`` or ``spark``.
    columns : sequence of str
        The columns of ``rows`` in order.
    describe : callable
        Tells the type of an expression over ``rows``, as DuckDB calls it; empty where it is over something else.

    Raises
    ------
    TableError
        It cannot be read, or holds what has no counterpart there.

    Examples
    --------
    >>> said = translated("SELECT approx_count_distinct(plan) FROM rows", "postgres", columns=["plan"], describe=str)
    >>> said
    'SELECT COUNT(DISTINCT "plan") FROM "rows"'
    """
    try:
        tree = sqlglot.parse_one(sql, read="duckdb")
    except sqlglot.errors.ParseError as error:
        raise TableError(f"the query cannot be said in the dialect of {dialect}: {sql}") from error
    if dialect == "postgres":
        tree = count_by_hashing(tree)
    kinds = {id(node): describe(node.this.sql("duckdb")) for node in tree.find_all(exp.Cast, exp.Mod, exp.Typeof)}
    for node in reversed(list(tree.walk(bfs=False))):  # what lies deeper first: templates hold what became of it
        if isinstance(node, exp.Select):
            _expand_star(node, columns)
        elif isinstance(node, exp.Subquery) and isinstance(node.parent, exp.From | exp.Join) and not node.alias:
            node.set("alias", exp.TableAlias(this=exp.to_identifier("unnamed")))
        elif (new := _said(node, dialect, kinds.get(id(node), ""))) is not None:
            if node is tree:
                tree = new
            node.replace(new)
    _spell(tree, columns)
    return tree.sql(dialect, unsupported_level=sqlglot.ErrorLevel.IGNORE)


def _said(node: exp.Expr, dialect: str, kind: str) -> exp.Expr | None:
    """Return what a node over a value of a kind becomes in a dialect; None where sqlglot says it right."""
    rule = _RULES.get(type(node))
    new = rule(node, dialect, kind) if rule else None
    template = _NODES[dialect].get(type(node))
    return _filled(template, dialect, node.args) if new is None and template else new


def _filled(template: str, dialect: str, arguments: dict[str, exp.Expr]) -> exp.Expr:
    tree = sqlglot.parse_one(template, read=dialect)
    for placeholder in list(tree.find_all(exp.Placeholder)):
        placeholder.replace(arguments[placeholder.name].copy())
    return tree


def _typeof(node: exp.Expr, dialect: str, kind: str) -> exp.Expr:
    return exp.Literal.string(kind)


def _difference(node: exp.Expr, dialect: str, kind: str) -> exp.Expr:
    """Count the borders of days, months ... between two moments, as DuckDB does, not the whole ones that passed."""
    unit = node.text("unit").upper()
    epoch = _NODES["spark"][exp.TimeToUnix] if dialect == "spark" else "EXTRACT(EPOCH FROM :this)"
    counted = {
        "YEAR": "EXTRACT(YEAR FROM :this)",
        "MONTH": "(EXTRACT(YEAR FROM :this) * 12 + EXTRACT(MONTH FROM :this))",
        "DAY": f"FLOOR({epoch} / 86400)",
        "HOUR": f"FLOOR({epoch} / 3600)",
        "MINUTE": f"FLOOR({epoch} / 60)",
        "SECOND": f"FLOOR({epoch})",
    }
    if unit not in counted:
        raise TableError(
            f"a difference in '{unit.lower()}' cannot be asked where these rows lie",
            hint=f"ask in one of: {', '.join(counted).lower()}",
        )
    borders = f"({counted[unit]} - {counted[unit].replace(':this', ':expression')})"
    return _filled(borders, dialect, node.args)


def _extract(node: exp.Expr, dialect: str, kind: str) -> exp.Expr | None:
    part = _SPARK_PARTS.get(node.name.upper()) if dialect == "spark" else None
    return _filled(_NODES["spark"][part], dialect, {"this": node.expression}) if part else None


def _function(node: exp.Expr, dialect: str, kind: str) -> exp.Expr | None:
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


def _cast(node: exp.Expr, dialect: str, kind: str) -> exp.Expr | None:
    """Cast to whole numbers as DuckDB does: booleans are 0 and 1, fractions go to the nearest, ties to the even one."""
    to, value = node.args["to"].sql("duckdb"), node.this
    if to not in _WHOLE:
        return None
    if dialect == "postgres" and kind == "BOOLEAN":
        return exp.cast(exp.cast(value, "INT"), to)
    if dialect == "spark" and kind in ("DOUBLE", "FLOAT"):
        value = exp.Anonymous(this="RINT", expressions=[value])
    if to == "INT128" and dialect == "postgres":
        return exp.Round(this=exp.cast(value, "DECIMAL"))
    return type(node)(this=value, to=exp.DataType.build("DECIMAL(38, 0)" if to == "INT128" else to))


def _in_decimals(node: exp.Expr, dialect: str, kind: str) -> exp.Expr | None:
    """Let PostgreSQL compute in decimals what it does not compute with doubles."""
    if dialect != "postgres" or kind in _WHOLE:
        return None
    node = node.copy()
    for name in ("this", "expression"):
        if (value := node.args.get(name)) is not None:
            node.set(name, exp.cast(value.unnest(), "DECIMAL"))
    return exp.cast(node, "DOUBLE")


def _round(node: exp.Expr, dialect: str, kind: str) -> exp.Expr | None:
    return _in_decimals(node, dialect, kind) if node.args.get("decimals") else None


def _log(node: exp.Expr, dialect: str, kind: str) -> exp.Expr | None:
    """Take a logarithm without a base as that of ten, which Spark takes as the natural one."""
    if node.args.get("expression") is not None:
        return _in_decimals(node, dialect, kind)
    return exp.Log(this=exp.Literal.number(10), expression=node.this) if dialect == "spark" else None


def _ignoring(node: exp.Expr, dialect: str, kind: str) -> exp.Expr | None:
    return node.this if dialect == "postgres" else None


def _window(node: exp.Expr, dialect: str, kind: str) -> exp.Expr | None:
    """Let a window without an order follow the order of the rows."""
    if not isinstance(node.this, _ROLLING) or node.args.get("order"):
        return None
    node = node.copy()
    node.set("order", exp.Order(expressions=[exp.Ordered(this=exp.column("rowid"), nulls_first=False)]))
    return node


def _moment(node: exp.Expr, dialect: str, kind: str) -> exp.Expr | None:
    """Write a format as the place does; the template does the rest."""
    form = node.args["format"].name
    for word, said in _FORMATS[dialect].items():
        form = form.replace(word, said)
    node.set("format", exp.Literal.string(form))
    return None


_RULES: dict[type[exp.Expr], Callable[[exp.Expr, str, str], exp.Expr | None]] = {
    exp.Anonymous: _function,
    exp.Cast: _cast,
    exp.DateDiff: _difference,
    exp.Extract: _extract,
    exp.IgnoreNulls: _ignoring,
    exp.Log: _log,
    exp.Mod: _in_decimals,
    exp.Round: _round,
    exp.StrToTime: _moment,
    exp.TryCast: _cast,
    exp.Typeof: _typeof,
    exp.Window: _window,
}
"""What takes more than a template: ``(node, dialect, type of its first argument) -> what it becomes``."""


def _expand_star(select: exp.Select, columns: Sequence[str]) -> None:
    """Name the columns that ``*`` stands for where it is all of the relation, which has a rowid beside them."""
    joins = [join.this for join in select.args.get("joins") or []]
    sources = [source.this for source in [select.args.get("from_")] if source] + joins
    ours = [source.alias_or_name for source in sources if _is_relation(source)]
    named: list[exp.Expr] = []
    for one in select.expressions:
        star = one.this if isinstance(one, exp.Column) else one
        meant = [alias for alias in ours if one.text("table").casefold() in ("", alias.casefold())]
        if not isinstance(star, exp.Star) or not meant:
            named.append(one)
        elif len(sources) > 1 and not one.text("table"):
            raise TableError("'*' over joined tables can mean several columns of one name", hint="name the columns")
        else:
            left_out = {part.name.casefold() for part in star.args.get("except_") or []}
            if star.args.get("replace") or star.args.get("rename"):
                raise TableError("'* REPLACE' and '* RENAME' cannot be asked here", hint="name the columns")
            some = [name for name in columns if name.casefold() not in left_out]
            named += [exp.column(name, table=one.text("table") or None, quoted=True) for name in some]
    select.set("expressions", named)


def _is_relation(source: exp.Expr) -> bool:
    return isinstance(source, exp.Table) and source.name.casefold() in _RELATIONS


def _spell(tree: exp.Expr, columns: Sequence[str]) -> None:
    """Quote every name, spelled as the column is or as where it first occurs.

    Case matters to others, to DuckDB it does not; and words are reserved elsewhere that are not here.
    """
    relations = {name: name for name in _RELATIONS}
    values = {name.casefold(): name for name in (*columns, "rowid")}
    for name in tree.find_all(exp.Identifier):
        of_relation = isinstance(name.parent, exp.Table | exp.TableAlias) and name.arg_key == "this"
        known = relations if of_relation or name.arg_key == "table" else values
        name.set("this", known.setdefault(name.name.casefold(), name.name))
        name.set("quoted", True)
