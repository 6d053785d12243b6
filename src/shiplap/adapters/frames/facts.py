"""Facts about one raw column, as aggregates over all of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from shiplap.adapters.frames.patterns import BOOLEANS, ISO, MARKERS, MARKERS_OF_TEXT, ZONE
from shiplap.adapters.frames.session import literal

__all__ = [
    "Asked",
    "DateFacts",
    "NumberFacts",
    "Relation",
    "TextFacts",
    "date_facts",
    "distinct_days",
    "misfits",
    "number_facts",
    "padded",
    "spelled",
    "text_facts",
]

_BLANKS = "(9, 10, 13, 32)"
_TRIM = f"CASE WHEN unicode(v) IN {_BLANKS} OR unicode(right(v, 1)) IN {_BLANKS} THEN trim(v, E' \\t\\r\\n') ELSE v END"
"""What few texts need is done to those alone: a trim copies every text."""
_NUMBER = "try_cast(t AS DOUBLE)"
_IS_NUMBER = f"({_NUMBER} IS NOT NULL AND NOT contains(t, '_'))"
_WHOLE = "regexp_full_match(t, '[+-]?[0-9]+')"
_PADDED = "starts_with(t, '0') AND regexp_full_match(t, '0[0-9]+')"
_HUGE = f"length(t) > 15 AND {_WHOLE} AND abs({_NUMBER}) > 9007199254740992"
_FEW = 0.3
_YES_AND_NO = 10
"""More distinct values than words for yes and no have spellings, counted roughly."""
_YES_NO = (*(word for pair in BOOLEANS for word in pair), "1", "0")


class Asked(Protocol):
    """Who answers queries: the session of a table here, or the frame of one that lies elsewhere."""

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a query and return all rows."""
        ...

    def one(self, sql: str) -> tuple[Any, ...]:
        """Run a query and return its first row."""
        ...


@dataclass(frozen=True)
class Relation:
    """One column of a relation, to be asked about.

    Parameters
    ----------
    session : Asked
        Where the relation is.
    relation : str
        Its name.
    name : str
        The column.
    expression : str
        Its values as SQL.
    n_rows : int
        Rows of the relation.
    n_present : int
        Rows that are not NULL.
    n_about : int
        Distinct values, roughly.
    weight : str
        How many rows of the source one row stands for, as SQL.
    """

    session: Asked
    relation: str
    name: str
    expression: str
    n_rows: int
    n_present: int
    n_about: int
    weight: str = "1"

    @property
    def repeats(self) -> bool:
        """Whether it pays to count equal values first."""
        return self.weight == "1" and self.n_about <= _FEW * self.n_present

    def weighted(self, extra: tuple[str, ...] = ()) -> str:
        """Return SQL for ``d(v, t, n)``: texts, trimmed texts, counts; `extra` texts and NULL left out.

        Where values repeat they are counted first, so that what is asked of them is asked once a distinct value.
        """
        name = self.expression
        where = f"{name} IS NOT NULL"
        if extra:
            where += f" AND {name} NOT IN {_listed(extra)} AND trim({name}) NOT IN {_listed(extra)}"
        if self.repeats:
            grouped = f"SELECT {name} AS v, count(*) AS n FROM {self.relation} WHERE {where} GROUP BY 1"
        else:
            grouped = f"SELECT {name} AS v, {self.weight} AS n FROM {self.relation} WHERE {where}"
        return f"(SELECT v, {_TRIM} AS t, n FROM ({grouped}))"

    def distinct(self) -> int:
        """Count distinct values exactly."""
        return int(self.session.one(f"SELECT count(DISTINCT {self.expression}) FROM {self.relation}")[0])


@dataclass(frozen=True)
class TextFacts:
    """What the texts of a column are.

    Parameters
    ----------
    missing, missing_of_text : tuple of str
        Texts in it that mean "missing" among numbers, and among words.
    n_values, n_words : int
        Rows with a value, by the first and by the second reading.
    n_odd : int
        Values (missing ones aside) that are not numbers.
    n_padded : int
        Values that are digits after a leading zero: codes, not numbers.
    n_fractions, n_huge : int
        Numbers that are not whole, and whole ones that a double cannot hold.
    words : float
        Mean words a value.
    first, last : str or None
        Smallest and largest value as texts.
    odd : str or None
        One value that is not a number.
    few : tuple of str
        The distinct values in lower case where all of them are words for yes and no, else empty.
    """

    missing: tuple[str, ...]
    missing_of_text: tuple[str, ...]
    n_values: int
    n_words: int
    n_odd: int
    n_padded: int
    n_fractions: int
    n_huge: int
    words: float
    first: str | None
    last: str | None
    odd: str | None
    few: tuple[str, ...]


def text_facts(column: Relation, extra: tuple[str, ...] = ()) -> TextFacts:
    """Ask for the facts of a column of texts; `extra` texts count as missing."""
    varied = column.weight == "1" and not column.repeats and column.n_about > _YES_AND_NO
    if varied and not extra and _looks_plain(column) and (plain := _plain_numbers(column)):
        return plain
    sql = f"""
        WITH d AS {column.weighted(extra)},
        marked AS (SELECT *, lower(t) AS l, lower(t) IN {_listed(MARKERS)} AS m FROM d),
        told AS (SELECT *, NOT m AS u, m OR {_IS_NUMBER} AS fits FROM marked)
        SELECT sum(n) FILTER (m),
               sum(n) FILTER (u),
               sum(n) FILTER (u OR l NOT IN {_listed(MARKERS_OF_TEXT)}),
               sum(n) FILTER (NOT fits),
               sum(n) FILTER (u AND {_PADDED}),
               sum(n) FILTER (u AND fits AND NOT {_WHOLE}),
               sum(n) FILTER (u AND fits AND {_HUGE}),
               sum(n * (length(t) - length(replace(t, ' ', '')) + 1)) FILTER (u) / sum(n) FILTER (u),
               min(t) FILTER (u), max(t) FILTER (u), min(v) FILTER (NOT fits),
               sum(n) FILTER (l IN {_listed(_YES_NO)})
        FROM told"""
    row = column.session.one(sql)
    few: tuple[str, ...] = ()
    if row[11] is not None and row[11] == row[1]:
        few = tuple(sorted({_bare(text) for text in _values(column, extra)} - set(MARKERS)))
    missing = spelled(column, MARKERS, extra) if row[0] else ()
    counts = [int(count or 0) for count in row[1:7]]
    return TextFacts(
        missing=missing,
        missing_of_text=tuple(text for text in missing if _bare(text) in MARKERS_OF_TEXT),
        n_values=counts[0],
        n_words=counts[1],
        n_odd=counts[2],
        n_padded=counts[3],
        n_fractions=counts[4],
        n_huge=counts[5],
        words=float(row[7] or 0),
        first=row[8],
        last=row[9],
        odd=row[10],
        few=few,
    )


def _looks_plain(column: Relation) -> bool:
    some = f"(SELECT t FROM {column.weighted()} LIMIT 100)"
    return bool(column.session.one(f"SELECT count(*) = count({_NUMBER}) FROM {some}")[0])


def _plain_numbers(column: Relation) -> TextFacts | None:
    """Ask a column whose values hardly repeat whether all are numbers; the full question costs five times as much."""
    sql = f"""
        SELECT count(*) FILTER (x IS NULL OR isnan(x) OR contains(t, '_')),
               count(*) FILTER ({_PADDED}),
               count(*) FILTER (NOT {_WHOLE}),
               count(*) FILTER ({_HUGE}),
               min(t), max(t)
        FROM (SELECT t, {_NUMBER} AS x FROM {column.weighted()})"""
    odd, padded, fractions, huge, first, last = column.session.one(sql)
    if odd or padded or huge:
        return None
    n = column.n_present
    return TextFacts((), (), n, n, 0, 0, fractions, 0, 1.0, first, last, None, ())


def spelled(column: Relation, words: tuple[str, ...], extra: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return how any of the lower-case `words` are written in a column, exactly."""
    sql = f"SELECT DISTINCT v FROM {column.weighted(extra)} WHERE lower(t) IN {_listed(words)}"
    return tuple(sorted(text for (text,) in column.session.fetch(sql)))


def _values(column: Relation, extra: tuple[str, ...]) -> list[str]:
    return [text for (text,) in column.session.fetch(f"SELECT DISTINCT v FROM {column.weighted(extra)}")]


def _bare(text: str) -> str:
    return text.strip(" \t\r\n").lower()


def padded(column: Relation, texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the values of a column that are one of `texts` with spaces around it."""
    sql = f"SELECT DISTINCT v FROM {column.weighted()} WHERE t IN {_listed(texts)} AND v <> t ORDER BY 1"
    return tuple(text for (text,) in column.session.fetch(sql))


@dataclass(frozen=True)
class DateFacts:
    """How the texts of a column read as ISO 8601.

    Parameters
    ----------
    n_odd : int
        Values that are not ISO 8601, or no moment (February 30).
    n_zoned, n_timed : int
        Values with an offset from UTC, and with a time of day.
    odd : str or None
        One value that is not a moment.
    """

    n_odd: int
    n_zoned: int
    n_timed: int
    odd: str | None


def date_facts(column: Relation, extra: tuple[str, ...] = ()) -> DateFacts:
    """Ask how a column of texts reads as ISO 8601; markers of "missing" are left out."""
    iso = f"(regexp_full_match(t, {literal(ISO)}) AND try_cast(t AS TIMESTAMPTZ) IS NOT NULL)"
    sql = f"""
        WITH d AS {column.weighted(extra)}, told AS (SELECT * FROM d WHERE lower(t) NOT IN {_listed(MARKERS)})
        SELECT sum(n) FILTER (NOT {iso}), sum(n) FILTER (regexp_matches(t, {literal(ZONE)})),
               sum(n) FILTER (length(t) > 10), min(v) FILTER (NOT {iso}) FROM told"""
    row = column.session.one(sql)
    return DateFacts(int(row[0] or 0), int(row[1] or 0), int(row[2] or 0), row[3])


def misfits(column: Relation, form: str, extra: tuple[str, ...] = ()) -> tuple[int, str | None]:
    """Count the values that do not follow a ``strptime`` format, and name one."""
    parsed = f"try_strptime(t, {literal(form)})"
    sql = f"""
        WITH d AS {column.weighted(extra)}, told AS (SELECT * FROM d WHERE lower(t) NOT IN {_listed(MARKERS)})
        SELECT sum(n) FILTER (bad), min(v) FILTER (bad)
        FROM (SELECT *, {parsed} IS NULL OR year({parsed}) < 1000 AS bad FROM told)"""
    row = column.session.one(sql)
    return int(row[0] or 0), row[1]


def distinct_days(column: Relation, form: str, extra: tuple[str, ...] = ()) -> int:
    """Count the different days of the month that a column has when it is read by a ``strptime`` format."""
    sql = f"SELECT count(DISTINCT day(try_strptime(t, {literal(form)}))) FROM {column.weighted(extra)}"
    return int(column.session.one(sql)[0])


@dataclass(frozen=True)
class NumberFacts:
    """How the whole numbers of a column lie.

    Parameters
    ----------
    low, high : int
        Range.
    n_distinct : int
        Exact count.
    increasing : bool
        Whether each is above the one in the row before.
    """

    low: int
    high: int
    n_distinct: int
    increasing: bool


def number_facts(column: Relation, expression: str) -> NumberFacts:
    """Ask how whole numbers lie; `expression` is the number of a row."""
    sql = f"""
        SELECT min(x), max(x), count(x), count(*) FILTER (x <= before)
        FROM (SELECT {expression} AS x, lag({expression}) OVER () AS before FROM {column.relation})"""
    low, high, n, falls = column.session.one(sql)
    if falls:
        n = column.session.one(f"SELECT count(DISTINCT {expression}) FROM {column.relation}")[0]
    return NumberFacts(int(low), int(high), int(n), falls == 0)


def _listed(texts: tuple[str, ...]) -> str:
    return "(" + ", ".join(literal(text) for text in texts) + ")"
