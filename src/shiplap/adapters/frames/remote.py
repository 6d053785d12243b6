"""Tables whose rows stay where they lie: questions go there as SQL, and only aggregates and samples come back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from shiplap.adapters.frames.canonical import canonical, counted
from shiplap.adapters.frames.dialects import translated
from shiplap.adapters.frames.frame import to_pandas, told
from shiplap.adapters.frames.infer import Found, infer, relations
from shiplap.adapters.frames.names import check_names
from shiplap.adapters.frames.places import live_digest
from shiplap.adapters.frames.session import Session, quoted
from shiplap.adapters.frames.tallies import infer_texts
from shiplap.core.brief import ColumnBrief
from shiplap.core.errors import BriefError, TableError, nearest
from shiplap.core.progress import tell
from shiplap.core.table import Table

__all__ = ["Place", "RemoteFrame", "read_remote"]

_TYPES = {"number": "DOUBLE", "boolean": "BOOLEAN", "date": "TIMESTAMP"}
_ZONED = "TIMESTAMP WITH TIME ZONE"


class Place(Protocol):
    """Where rows lie: it runs SQL in its own dialect."""

    @property
    def dialect(self) -> str:
        """Name of its dialect in sqlglot: ``postgres`` or ``spark``."""
        ...

    @property
    def name(self) -> str:
        """A short name for the table."""
        ...

    @property
    def words(self) -> str:
        """Where the rows lie, for people and records, without secrets."""
        ...

    @property
    def columns(self) -> Sequence[tuple[str, str]]:
        """Name and type of every column.

        Types are in DuckDB's words: those of numbers, BOOLEAN, DATE, TIMESTAMP, TIMESTAMP WITH TIME ZONE, and VARCHAR
        for all else.
        """
        ...

    @property
    def relation(self) -> str:
        """A SELECT in its dialect: the columns (NaN as NULL, moments with a zone as UTC), and a whole ``rowid``."""
        ...

    def answer(self, sql: str) -> pa.Table:
        """Run a query in its dialect; raises ``TableError`` when it cannot be run."""
        ...

    def batches(self, sql: str, rows: int) -> Iterator[pa.RecordBatch]:
        """Run a query in its dialect and yield its answer, at most `rows` rows at a time."""
        ...


class RemoteFrame:
    """Implements `shiplap.core.table.Frame` over rows that lie elsewhere.

    A twin, a table in DuckDB with the same columns and no rows, is asked first: what it refuses is refused, and the
    types it names are those that the answer is cast to when it arrives. So answers look the same wherever they come
    from.

    Parameters
    ----------
    place : Place
        Where the rows lie.
    twin : Session
        Holds the relation without rows.
    relation : str
        Its name: ``rows``, or ``raw`` while the columns are looked at.
    definition : str
        What it is, in the dialect of the place.
    """

    def __init__(self, place: Place, twin: Session, relation: str, definition: str) -> None:
        self._place = place
        self._twin = twin
        self._relation = relation
        self._definition = definition
        self._names = [name for name, _ in twin.columns(relation)]

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a query whose answer is small and return its rows; raises ``TableError`` when it cannot be run."""
        with told():
            rows: list[tuple[Any, ...]] = self._asked(sql).fetchall()
            return rows

    def one(self, sql: str) -> tuple[Any, ...]:
        """Run a query and return its first row."""
        return self.fetch(sql)[0]

    def columns(self, relation: str) -> list[tuple[str, str]]:
        """Return name and type of every column."""
        return self._twin.columns(relation)

    def arrow(self, sql: str) -> pa.Table:
        """Run a query and return its answer as an Arrow table."""
        with told():
            return self._asked(sql).to_arrow_table()

    def pandas(self, sql: str) -> Any:
        """Run a query and return a data frame with the types of `shiplap.core.table.Frame`."""
        return to_pandas(self.arrow(sql))

    def batches(self, sql: str, *, rows: int = 65_536) -> Iterator[pa.RecordBatch]:
        """Run a query and yield record batches of at most `rows` rows, in constant memory."""
        with told():
            types = self._types(sql)
            for batch in self._place.batches(self._said(sql), rows):
                yield from self._twin.cast(pa.Table.from_batches([batch]), types).to_arrow_reader(rows)

    def where(self, condition: str) -> RemoteFrame:
        """Return a frame over those of the rows that meet a condition in DuckDB's SQL."""
        chosen = self._said(f"SELECT *, rowid FROM rows WHERE {condition}")
        return RemoteFrame(self._place, self._twin, "rows", chosen)

    def canonical(self, found: list[Found]) -> RemoteFrame:
        """Return the frame of canonical values, ``rows``, given what was found of ``raw``; the twin is sealed then."""
        values = [f"{canonical(_in_utc(one))} AS {quoted(one.column.name)}" for one in found]
        definition = self._said(f"SELECT {', '.join(values)}, rowid FROM raw")
        columns = ", ".join(f"{quoted(one.column.name)} {_TYPES.get(one.column.kind, 'VARCHAR')}" for one in found)
        self._twin.execute(f"CREATE TABLE rows ({columns})")
        self._twin.seal()
        return RemoteFrame(self._place, self._twin, "rows", definition)

    def _asked(self, sql: str) -> duckdb.DuckDBPyRelation:
        types = self._types(sql)
        return self._twin.cast(self._place.answer(self._said(sql)), types)

    def _types(self, sql: str) -> list[tuple[str, str]]:
        asked = self._twin.ask(sql)
        return list(zip(asked.columns, map(str, asked.types), strict=True))

    def _said(self, sql: str) -> str:
        said = translated(sql, self._place.dialect, columns=self._names, describe=self._described)
        inline = "NOT MATERIALIZED " if self._place.dialect == "postgres" else ""
        relation = f"{self._relation} AS {inline}({self._definition})"
        return f"WITH {relation}, {said[5:]}" if said.startswith("WITH ") else f"WITH {relation} {said}"

    def _described(self, expression: str) -> str:
        try:
            return str(self._twin.ask(f"SELECT {expression} FROM {self._relation}").types[0])
        except duckdb.BinderException:  # of an inner query, or of two relations
            return ""


def read_remote(place: Place, *, name: str = "", columns: Mapping[str, ColumnBrief] = {}) -> Table:
    """Make a table of rows that lie elsewhere, and find out what its columns hold, from all of its rows.

    Its digest is like no other's: what lies elsewhere changes without saying so, and no result is remembered for it.

    Parameters
    ----------
    place : Place
        Where the rows lie.
    name : str
        Short name; the place's own when empty.
    columns : mapping of str to ColumnBrief
        What is known about single columns; it overrides what would be inferred.

    Raises
    ------
    TableError
        There are no rows, or a column does not fit the kind stated for it.
    BriefError
        `columns` names a column that does not exist.
    """
    check_names([column for column, _ in place.columns], place.words)
    known = [column for column, _ in place.columns]
    for stated in columns:
        if stated not in known:
            raise BriefError(
                f"the brief speaks of a column '{stated}' that the table has not", hint=nearest(stated, known)
            )
    twin = Session()
    try:
        frame, found = _found(place, twin, columns)
        n_rows = int(frame.one("SELECT count(*) FROM rows")[0])
        schema = counted(frame, found, n_rows)
    except BaseException:
        twin.close()
        raise
    return Table(
        name=name or place.name,
        source=place.words,
        schema=schema,
        digest=live_digest(),
        n_rows=n_rows,
        frame=frame,
    )


def _found(place: Place, twin: Session, told: Mapping[str, ColumnBrief]) -> tuple[RemoteFrame, list[Found]]:
    twin.execute(f"CREATE TABLE raw ({', '.join(f'{quoted(name)} {kind}' for name, kind in place.columns)})")
    raw = RemoteFrame(place, twin, "raw", place.relation)
    tell(f"looking at {place.words}")
    counts = relations(raw, "raw")
    if counts[0][0].n_rows == 0:
        raise TableError(f"'{place.words}' has no rows", hint="there is nothing to work with")
    found = []
    for i, (column, kind) in enumerate(counts):
        tell(f"looking at column {column.name}", i / len(counts))
        known = told.get(column.name, ColumnBrief())
        found.append(infer_texts(raw, twin, column, known) if kind == "VARCHAR" else infer(column, kind, known))
    return raw.canonical(found), found


def _in_utc(found: Found) -> Found:
    """Take moments as the place gives them, in UTC without a zone."""
    return Found(found.column, "TIMESTAMP", found.zoned) if found.raw == _ZONED else found
