"""Rows in a PostgreSQL database: one read-only transaction that sees one moment, through libpq and Arrow."""

from __future__ import annotations

import os
import re
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import adbc_driver_manager
import pyarrow as pa
from adbc_driver_postgresql import dbapi

from shiplap.adapters.frames.addresses import Address, address_of
from shiplap.adapters.frames.session import quoted
from shiplap.adapters.frames.source import is_query
from shiplap.core.errors import TableError, nearest

__all__ = ["PostgresPlace"]

_TIMEOUT = "10min"
_SETTINGS = (
    "SET TimeZone = 'UTC'",
    "SET DateStyle = 'ISO'",
    "SET jit = off",  # compiling hundreds of aggregates takes longer than running them
    f"SELECT set_config('statement_timeout', '{_TIMEOUT}', false) WHERE current_setting('statement_timeout') = '0'",
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
)
_TABLES = """
    SELECT n.nspname AS schema, c.relname AS name, pg_catalog.pg_table_is_visible(c.oid) AS visible,
           c.relkind IN ('r', 'm') AND NOT c.relhassubclass AS stored,
           (SELECT array_agg(a.attname::text ORDER BY array_position(i.indkey::int2[], a.attnum))
            FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a
              ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
            WHERE i.indrelid = c.oid AND i.indisprimary) AS key
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname <> 'information_schema'
      AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1, 2"""
_HINTS = {
    "42501": "ask its owner to GRANT SELECT to this user",
    "57014": "give it more time (options=-c statement_timeout=1h in the address), or ask a query for fewer rows",
    "25P03": "its idle_in_transaction_session_timeout is shorter than the look takes",
}


class PostgresPlace:
    """A table, view or query in PostgreSQL, as a `shiplap.adapters.frames.remote.Place`.

    All questions are asked in one transaction that is read-only and sees the rows as they were when it began. A
    statement that takes longer than 10 minutes is stopped, unless the server, the role or the address sets its own
    limit. What libpq knows of encryption, passwords (``PGPASSWORD``, ``~/.pgpass``) and services holds here.

    The rowid counts the rows in the order of the primary key; of a table without one, as they lie in its file; of a
    view or query, in the order of all columns. It costs a sort where a question makes use of it.

    Parameters
    ----------
    text : str
        ``postgresql://user@host/database::table``, with a query in place of the table.

    Raises
    ------
    TableError
        The server cannot be reached or refuses, or there is no such table; never does a message hold a password.
    """

    dialect = "postgres"

    def __init__(self, text: str) -> None:
        self._address = address_of(text)
        self._lock = threading.RLock()
        with _told(self._address):
            self._connection = dbapi.connect(self._address.url, autocommit=True)
        self._finalizer = weakref.finalize(self, _close, self._connection, os.getpid())
        with self._connection.cursor() as cursor, _told(self._address):
            for setting in _SETTINGS:
                cursor.execute(setting)
        source, self.name, order = self._source(self._address.inner)
        with self._lock, self._connection.cursor() as cursor, _told(self._address):
            fields = list(cursor.adbc_execute_schema(f"SELECT * FROM {source}"))
        self.columns: Sequence[tuple[str, str]] = [(field.name, _type(field.type)) for field in fields]
        values = [_value(name, kind) for name, kind in self.columns]
        rowid = f"row_number() OVER (ORDER BY {order or ', '.join(values)}) - 1"
        shown = [f"{value} AS {quoted(name)}" for value, (name, _) in zip(values, self.columns, strict=True)]
        self.relation = f"SELECT {', '.join(shown)}, {rowid} AS rowid FROM {source}"

    @property
    def words(self) -> str:
        """The address without its password."""
        return self._address.words

    def answer(self, sql: str) -> pa.Table:
        """Run a query; when it fails the transaction goes on."""
        return self._run(sql)

    def batches(self, sql: str, rows: int) -> Iterator[pa.RecordBatch]:
        """Run a query through a cursor on the server; other questions can be asked between two batches."""
        name = f"batches_{os.urandom(8).hex()}"
        self._run(f"DECLARE {name} NO SCROLL CURSOR FOR {sql}")
        while (fetched := self._run(f"FETCH {rows} FROM {name}", copy=False)).num_rows:
            yield from fetched.combine_chunks().to_batches(rows)
        self._run(f"CLOSE {name}")

    def _run(self, sql: str, *, copy: bool = True) -> pa.Table:
        """Run one statement; one that fails leaves the transaction as it was."""
        with self._lock, self._connection.cursor() as cursor, _told(self._address):
            cursor.adbc_statement.set_options(**{"adbc.postgresql.use_copy": str(copy).lower()})
            cursor.execute("SAVEPOINT asked")
            try:
                cursor.execute(sql)
                return _plain(cursor.fetch_arrow_table())
            except BaseException:
                with suppress(adbc_driver_manager.Error):  # the connection may be what failed
                    cursor.execute("ROLLBACK TO SAVEPOINT asked")
                raise

    def _source(self, inner: str) -> tuple[str, str, str]:
        """Return SQL of what is meant, a name for it, and the order that it has by itself; none of a view."""
        if is_query(inner):
            return f"({inner.rstrip('; ')}) AS source", "query", ""
        tables = self._run(_TABLES).to_pylist()
        named = {f"{table['schema']}.{table['name']}": table for table in tables}
        named |= {table["name"]: table for table in tables if table["visible"]}
        if not inner and len(tables) == 1:
            inner = tables[0]["name"] if tables[0]["visible"] else next(iter(named))
        where = f"the database at '{self._address.words}'"
        if not inner:
            raise TableError(f"{where} holds {len(tables)} tables", hint=f"add '::' and a name; {nearest('', named)}")
        if inner not in named:
            raise TableError(f"{where} has no table '{inner}' that this user sees", hint=nearest(inner, named))
        table = named[inner]
        order = ", ".join(map(quoted, table["key"] or [])) or ("ctid" if table["stored"] else "")
        return f"{quoted(table['schema'])}.{quoted(table['name'])}", table["name"], order


def _type(kind: pa.DataType) -> str:
    """Return the DuckDB word for what a column arrives as."""
    name = kind.type_name if isinstance(kind, pa.OpaqueType) else str(kind)
    words = {"bool": "BOOLEAN", "int16": "SMALLINT", "int32": "INTEGER", "int64": "BIGINT", "date32[day]": "DATE"}
    words |= {"float": "FLOAT", "double": "DOUBLE", "numeric": "DOUBLE", "timestamp[us]": "TIMESTAMP"}
    return "TIMESTAMP WITH TIME ZONE" if pa.types.is_timestamp(kind) and kind.tz else words.get(name, "VARCHAR")


def _value(name: str, kind: str) -> str:
    """Return SQL for the values of a column: texts compare by their bytes, what is no number or moment is NULL."""
    column = quoted(name)
    if kind in ("FLOAT", "DOUBLE"):
        return f"nullif({column}, 'NaN')::{'real' if kind == 'FLOAT' else 'double precision'}"
    if kind.startswith(("DATE", "TIMESTAMP")):
        moment = f"CASE WHEN isfinite({column}) THEN {column} END"
        return f"({moment}) AT TIME ZONE 'UTC'" if kind.endswith("ZONE") else moment
    return f'{column}::text COLLATE "C"' if kind == "VARCHAR" else column


def _plain(rows: pa.Table) -> pa.Table:
    """Take extension types (decimals, UUIDs, JSON) as what they are stored as."""
    fields = [
        field.with_type(field.type.storage_type) if isinstance(field.type, pa.BaseExtensionType) else field
        for field in rows.schema
    ]
    return rows.cast(pa.schema(fields)) if fields != list(rows.schema) else rows


@contextmanager
def _told(address: Address) -> Iterator[None]:
    """Raise what the server says as one line, with what to do, and without what is secret in the address."""
    try:
        yield
    except adbc_driver_manager.Error as error:
        found = re.search(r"(?:ERROR|FATAL): +(.*)|failed: (.*)|\] (.*)", str(error))
        said = next(filter(None, found.groups())) if found else str(error).partition("\n")[0]
        said = address.without_secrets(said.removesuffix("."))
        if "user request" in said:  # Ctrl-C reaches the server first, and comes back as this error
            raise KeyboardInterrupt from None
        if "Failed to connect" in str(error):
            message = f"PostgreSQL at '{address.words}' cannot be reached: {said}"
            raise TableError(message, hint=_connecting(said)) from None
        raise TableError(f"PostgreSQL refuses: {said}", hint=_HINTS.get(error.sqlstate or "", "")) from None


def _connecting(said: str) -> str:
    if "password" in said or "authentication" in said:
        return "give the password in PGPASSWORD or ~/.pgpass"
    if "does not exist" in said:
        return "check the names of user and database in the address"
    return "check host and port, and that the server takes connections from here"


def _close(connection: dbapi.Connection, owner: int) -> None:
    if os.getpid() == owner:  # a forked child must leave the parent's connection alone
        connection.close()
