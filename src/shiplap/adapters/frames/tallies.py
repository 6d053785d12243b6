"""What the texts of a column that lies elsewhere are: its values come here with their counts, and are judged here.

Whether texts are numbers, moments, words for yes and no or markers of "missing" is found out by the same code as for
files, on one row a distinct value. Of a column with more than `MOST` of them it sees that many, chosen by their hash;
whatever it concludes is then asked of all rows, and a value that speaks against it is put among those it sees.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol

import pyarrow as pa

from shiplap.adapters.frames.facts import Relation
from shiplap.adapters.frames.infer import Found, infer
from shiplap.adapters.frames.patterns import ISO, MARKERS
from shiplap.adapters.frames.session import Session, literal, quoted
from shiplap.core.brief import ColumnBrief

__all__ = ["MOST", "infer_texts"]

MOST = 50_000
"""Distinct values of a column of texts that are looked at one by one."""
_NUMBER = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?|[+-]?(inf|infinity)"
"""A number in lower case."""


class _Elsewhere(Protocol):
    def fetch(self, sql: str) -> list[tuple[Any, ...]]: ...

    def arrow(self, sql: str) -> pa.Table: ...


def infer_texts(frame: _Elsewhere, session: Session, column: Relation, told: ColumnBrief) -> Found:
    """Find out what a column of texts in ``raw`` holds.

    Parameters
    ----------
    frame : RemoteFrame
        Where the column lies.
    session : Session
        Where its values are judged; left as it was.
    column : Relation
        The column, counted.
    told : ColumnBrief
        What the brief says of it.
    """
    name = quoted(column.name)
    chosen = f"ORDER BY md5({name}) LIMIT {MOST}" if column.n_about > MOST else ""
    values = frame.arrow(
        f"SELECT {name} AS v, count(*) AS n, min(rowid) AS place FROM raw WHERE {name} IS NOT NULL GROUP BY 1 {chosen}"
    )
    session.register("values_elsewhere", values)
    session.execute("CREATE TABLE tally AS SELECT v, n FROM values_elsewhere ORDER BY place")
    session.unregister("values_elsewhere")
    try:
        seen = replace(column, session=session, relation="tally", expression="v", weight="n")
        if not chosen:
            return infer(seen, "VARCHAR", told)
        return _of_sample(frame, session, column, _shrunk(seen, session), told)
    finally:
        session.execute("DROP TABLE tally")


def _shrunk(seen: Relation, session: Session) -> Relation:
    """Count a sample as a table of its own, with one gap where the column has any."""
    n_present, n_distinct = session.one("SELECT sum(n), count(*) FROM tally")
    gaps = min(1, seen.n_rows - seen.n_present)
    return replace(seen, n_rows=int(n_present) + gaps, n_present=int(n_present), n_about=int(n_distinct))


def _of_sample(frame: _Elsewhere, session: Session, column: Relation, seen: Relation, told: ColumnBrief) -> Found:
    found = infer(seen, "VARCHAR", told)
    name, known = quoted(column.name), ", ".join(map(literal, (*MARKERS, *found.column.missing)))
    forms = {
        "number": f"regexp_full_match(lower(trim({name})), {literal(_NUMBER)})",
        "date": f"regexp_full_match(trim({name}), {literal(ISO)})",
    }
    if found.column.dtype in ("BIGINT", "DOUBLE"):
        fits = forms["number"]
    elif found.column.kind == "date":
        fits = forms["date"]
    else:
        return found
    against = frame.fetch(
        f"SELECT min({name}) FROM raw WHERE NOT {fits} "
        f"AND lower(trim({name})) NOT IN ({known}) AND {name} NOT IN ({known})"
    )
    if against[0][0] is None and not found.column.format:
        return found
    odd = "no moment" if against[0][0] is None else against[0][0]
    session.execute(f"INSERT INTO tally VALUES ({literal(odd)}, 1)")
    return infer(_shrunk(seen, session), "VARCHAR", told)
