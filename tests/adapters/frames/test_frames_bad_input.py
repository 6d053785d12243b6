"""What cannot be read, and what is said about it: one line, what came, what to do."""

import gzip
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from shiplap.adapters.frames import read
from shiplap.core.brief import ColumnBrief
from shiplap.core.errors import BriefError, InputError, TableError

ROWS = "age,plan\n" + "".join(f"{20 + i % 50},{'basic' if i % 3 else 'gold'}\n" for i in range(100))

MANY = "age,plan\n" + "".join(f"{i * 2_654_435_761 % 2**32},{i * i * 40_503 % 2**32:x}\n" for i in range(60_000))


def rows(content: str | bytes, name: str = "data.csv") -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)

    return make


def sqlite(*tables: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        with sqlite3.connect(folder / "shop.db") as connection:
            for table in tables:
                connection.execute(f"CREATE TABLE {table} (a)")
                connection.execute(f"INSERT INTO {table} VALUES (1)")
        connection.close()

    return make


def duck(*tables: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        with duckdb.connect(folder / "shop.duckdb") as connection:
            for table in tables:
                connection.execute(f"CREATE TABLE {table} AS SELECT 1 AS a")

    return make


def both(*makers: Callable[[Path], None]) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        for maker in makers:
            maker(folder)

    return make


FILES: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "missing": (rows(ROWS), "date.csv", r"no file at 'date.csv' \(did you mean 'data.csv'\?\)"),
    "missing in no folder": (rows(ROWS), "nowhere/data.csv", r"no file at .*there is no folder"),
    "glob without a match": (rows(ROWS), "x*.csv", r"no file matches 'x\*\.csv'"),
    "folder": (rows(ROWS), ".", r"is a folder \(name its files"),
    "address": (rows(ROWS), "https://example.org/a.csv", r"not a local file \(download it"),
    "unknown kind": (rows(ROWS, "data.xyz"), "data.xyz", r"data\.xyz' is of a kind .*Parquet"),
    "empty": (rows(""), "data.csv", r"data.csv' is empty"),
    "blank": (rows("\n\n"), "data.csv", r"is empty"),
    "empty gzip": (rows(gzip.compress(b""), "data.csv.gz"), "data.csv.gz", r"is empty"),
    "header only": (rows("age,plan\n"), "data.csv", r"a header and no rows"),
    "numbers for a header": (rows("5.1,3.5,setosa\n4.9,3.0,setosa\n"), "data.csv", r"'5.1', not column names"),
    "name twice": (rows("age,plan,age\n1,2,3\n"), "data.csv", r"column 'age' more than once"),
    "names that differ in case": (rows("age,Age\n1,2\n"), "data.csv", r"'age' and 'Age', which differ only in case"),
    "rowid": (rows("rowid,a\n1,2\n"), "data.csv", r"'rowid', which means"),
    "Latin-1": (rows("a,b\n1,ok\n2,caf\xe9\n".encode("latin-1")), "data.csv", r"0xe9 in line 3 \(offset 14\).*iconv"),
    "Latin-1 in the header": (rows("a,\xe9\n1,2\n".encode("latin-1")), "data.csv", r"0xe9 in line 1"),
    "UTF-16": (rows("a,b\n1,2\n".encode("utf-16")), "data.csv", r"is UTF-16, not UTF-8 \(iconv"),
    "too many cells": (rows("a,b\n1,2\n1,2,3\n"), "data.csv", r"line 3 of .* has 3 cells where the header has 2"),
    "too few cells": (rows("a,b\n1,2\n1\n"), "data.csv", r"line 3 of .* has 1 cells where the header has 2"),
    "quote not closed": (rows('a,b\n1,"2\n1,3\n'), "data.csv", r"line 2 of .* a quote that is not closed"),
    "line of 3 MB": (rows('a,b\n1,"' + "y" * 3_000_000 + '"\n'), "data.csv", r"line 2 of .* longer than 2 MB"),
    "truncated gzip": (rows(gzip.compress(ROWS.encode())[:-30], "a.csv.gz"), "a.csv.gz", r"truncated or corrupt gzip"),
    "corrupt gzip": (
        rows(gzip.compress(MANY.encode())[:-6] + b"\0\0\0\0\0\0", "a.csv.gz"),
        "a.csv.gz",
        r"truncated or corrupt gzip",
    ),
    "not gzip": (rows(ROWS, "a.csv.gz"), "a.csv.gz", r"truncated or corrupt gzip"),
    "not zstd": (rows(ROWS, "a.csv.zst"), "a.csv.zst", r"truncated or corrupt zstd"),
    "not Parquet": (rows("hello parquet" * 9, "a.parquet"), "a.parquet", r"not a Parquet file.*copy it again"),
    "truncated Parquet": (rows(b"PAR1" + b"\0" * 99, "a.parquet"), "a.parquet", r"not a Parquet file"),
    "not JSON": (rows('{"a": 1}\n{"a": \n', "a.jsonl"), "a.jsonl", r"line [23] of .*is not JSON"),
    "JSON that is no object": (rows("[1, 2]\n[3]\n", "a.jsonl"), "a.jsonl", r"not objects"),
    "JSON keys that differ in case": (rows('{"a": 1, "A": 2}\n', "a.jsonl"), "a.jsonl", r"differ only in case"),
    "truncated JSON gzip": (rows(gzip.compress(b'{"a": 1}\n' * 99)[:-9], "a.jsonl.gz"), "a.jsonl.gz", r"corrupt gzip"),
    "no database": (rows("x" * 500, "a.duckdb"), "a.duckdb", r"neither a DuckDB nor an SQLite file"),
    "SQLite of several tables": (sqlite("a", "b"), "shop.db", r"holds 2 tables \(name one: .*::a"),
    "SQLite table missing": (sqlite("orders", "b"), "shop.db::order", r"no table 'order' \(did you mean 'orders'"),
    "SQLite without a table": (sqlite(), "shop.db", r"is empty|holds no table"),
    "DuckDB of several tables": (duck("a", "b"), "shop.duckdb", r"holds 2 tables \(name one: .*::a"),
    "DuckDB table missing": (duck("orders"), "shop.duckdb::order", r"did you mean 'orders'"),
    "table in a CSV": (rows(ROWS), "data.csv::plan", r"is no database.*leave out '::plan'"),
    "several formats": (
        both(rows(ROWS, "a.csv"), rows('{"a": 1}\n', "a.jsonl")),
        "a.*",
        r"several formats: csv, jsonl",
    ),
    "files with other columns": (
        both(rows("a,b\n1,2\n", "1.csv"), rows("a,c\n1,2\n", "2.csv")),
        "*.csv",
        r"have different columns: '[bc]' is not in both",
    ),
    "query of nothing": (rows(ROWS), "SELECT 1", r"names no file"),
    "query that is not SQL": (rows(ROWS), "SELECT FROM WHERE", r"not valid SQL"),
    "query that copies": (rows(ROWS), "FROM 'data.csv'; COPY (SELECT 1) TO 'out.csv'", r"not one SELECT"),
    "query that inserts": (
        rows(ROWS),
        "WITH x AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM x, 'data.csv'",
        r"may only select, not insert",
    ),
    "query of a function": (rows(ROWS), "SELECT * FROM read_text('data.csv')", r"table function 'read_text'"),
    "query of settings": (rows(ROWS), "SELECT * FROM duckdb_settings(), 'data.csv'", r"function 'duckdb_settings'"),
    "query of a catalog": (rows(ROWS), "SELECT * FROM information_schema.tables, 'data.csv'", r"not a file"),
    "query of an address": (rows(ROWS), "SELECT * FROM 'http://localhost/a.csv'", r"not a local file"),
    "query of a missing file": (rows(ROWS), "SELECT * FROM 'date.csv'", r"did you mean 'data.csv'"),
    "query of a missing column": (rows(ROWS), "SELECT agee FROM 'data.csv'", r"agee.*did you mean 'age'"),
    "query of no rows": (rows(ROWS), "SELECT * FROM 'data.csv' WHERE age > 999", r"answers no rows"),
    "query of a name twice": (rows(ROWS), "SELECT age, plan AS age FROM 'data.csv'", r"'age' more than once"),
    "query that divides": (rows(ROWS), "SELECT plan::INT AS p FROM 'data.csv'", r"cannot be run: .*Could not convert"),
}


@pytest.mark.parametrize("case", FILES)
def test_one_line_that_says_what_to_do(case: str, tmp_path: Path) -> None:
    make, source, said = FILES[case]
    make(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError) as caught:
        read(source, base=tmp_path)
    assert isinstance(caught.value, TableError)
    assert re.search(said, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


def test_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "data.csv"
    file.write_text(ROWS)
    file.chmod(0)
    try:
        file.read_bytes()
    except PermissionError:
        with pytest.raises(TableError, match=r"cannot be opened: Permission denied \(check its permissions\)"):
            read(file)
    else:
        pytest.skip("this user may read everything")


OBJECTS: dict[str, tuple[object, str]] = {
    "a number": (42, r"a table cannot be made of builtins.int \(give a path"),
    "no rows": ({"a": []}, "no rows"),
    "no columns": ({}, "no columns"),
    "lengths": ({"a": [1], "b": [1, 2]}, r"'a' has 1 values and 'b' has 2"),
    "a text for a column": ({"a": "xyz"}, r"column 'a' is one str"),
    "a name twice": ({1: [1], "1": [2]}, r"column '1' more than once"),
}


@pytest.mark.parametrize("case", OBJECTS)
def test_object_that_is_no_table(case: str) -> None:
    rows, said = OBJECTS[case]
    with pytest.raises(TableError, match=said):
        read(rows)


STATED: dict[str, tuple[str, ColumnBrief, str]] = {
    "number": ("words", ColumnBrief(kind="number"), r"'words' cannot be a number: it holds 'gold'"),
    "boolean": ("words", ColumnBrief(kind="boolean"), r"'words' cannot be a boolean: it holds 'gold'.*yes/no"),
    "date": ("words", ColumnBrief(kind="date"), r"'words' cannot be a date: it holds 'gold'"),
    "number as boolean": ("count", ColumnBrief(kind="boolean"), r"'count' cannot be a boolean: it holds '7'"),
    "number as date": ("count", ColumnBrief(kind="date"), r"'count' cannot be a date: .*to_timestamp"),
    "no such day": ("day", ColumnBrief(kind="date"), r"'day' cannot be a date: it holds '2013-02-30'"),
}


@pytest.mark.parametrize("case", STATED)
def test_kind_that_does_not_fit(case: str) -> None:
    column, told, said = STATED[case]
    rows = {"words": ["silver", "gold"], "count": [1, 7], "day": ["2013-02-28", "2013-02-30"]}
    with pytest.raises(TableError, match=said):
        read(rows, columns={column: told})


def test_column_that_is_not_there() -> None:
    with pytest.raises(BriefError, match=r"a column 'plam' .*did you mean 'plan'"):
        read({"plan": ["a"]}, columns={"plam": ColumnBrief(kind="text")})
    with pytest.raises(BriefError, match=r"a column 'plam' .*did you mean 'plan'"):
        read(read({"plan": ["a"]}), columns={"plam": ColumnBrief(kind="text")})
