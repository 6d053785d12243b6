"""Every kind of source gives the same rows, in order, under the same names, and a digest that names them."""

import gzip
import json
import sqlite3
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shiplap.adapters.frames import fingerprint, read, sha256_file
from shiplap.core.brief import ColumnBrief
from shiplap.core.errors import TableError
from shiplap.core.table import Table

ROWS: dict[str, list[Any]] = {
    "amount": [1.5, None, 3.0, 2.25],
    "the plan": ["basic", "gold", None, 'two "words", and\na line'],
    "signed": ["2013-01-02", "2013-02-03", "2013-01-02", None],
}
CANONICAL = [(1.5, "basic", "2013-01-02"), (None, "gold", "2013-02-03"), (3.0, None, "2013-01-02")]
CANONICAL += [(2.25, 'two "words", and\na line', None)]
CSV = "amount,the plan,signed\n1.5,basic,2013-01-02\n,gold,2013-02-03\n3,,2013-01-02\n"
CSV += '2.25,"two ""words"", and\na line",\n'
JSON = [dict(zip(ROWS, row, strict=True)) for row in zip(*ROWS.values(), strict=True)]
LINES = "".join(json.dumps({key: value for key, value in row.items() if value is not None}) + "\n" for row in JSON)


def write(folder: Path, name: str) -> Path:
    file = folder / name
    if name.startswith("lines"):
        content = LINES.encode()
    elif name == "array.json":
        content = json.dumps(JSON).encode()
    else:
        content = CSV.encode()
    if ".tsv" in name:
        content = content.replace(b", ", b"; ").replace(b",", b"\t").replace(b"; ", b", ")
    elif "semicolon" in name:
        content = content.replace(b", ", b"# ").replace(b",", b";").replace(b"# ", b", ")
    elif "bom" in name:
        content = b"\xef\xbb\xbf" + content.replace(b"\n", b"\r\n").replace(b"and\r\n", b"and\n")
    elif "mixed" in name:
        content = content.replace(b"gold,2013-02-03\n", b"gold,2013-02-03\r\n")
    if name.endswith(".gz"):
        content = gzip.compress(content)
    elif name.endswith(".zst"):
        content = pa.compress(content, "zstd", asbytes=True)
    file.write_bytes(content)
    return file


def check(table: Table) -> None:
    assert table.schema.names == tuple(ROWS)
    assert [column.kind for column in table.schema] == ["number", "category", "date"]
    assert [column.n_missing for column in table.schema] == [1, 1, 1]
    rows = table.frame.fetch("SELECT amount, \"the plan\", strftime(signed, '%Y-%m-%d') FROM rows ORDER BY rowid")
    assert rows == CANONICAL
    assert table.n_rows == 4
    assert len(table.digest) == 64


FILES = ["a.csv", "a.csv.gz", "a.csv.zst", "a.tsv", "a.tsv.gz", "semicolon.csv", "bom.csv", "mixed.csv", "a.txt"]
FILES += ["lines.jsonl", "lines.ndjson", "lines.jsonl.gz", "lines.jsonl.zst", "array.json"]


@pytest.mark.parametrize("name", FILES)
def test_text_files(name: str, tmp_path: Path) -> None:
    file = write(tmp_path, name)
    table = read(file)
    check(table)
    assert table.name == name.partition(".")[0]
    assert table.source == str(file)
    assert table.digest == fingerprint(str(file)) == fingerprint(name, base=tmp_path)


def test_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.table(ROWS), tmp_path / "a.parquet")
    check(read(tmp_path / "a.parquet"))


def test_a_query_over_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.table(ROWS), tmp_path / "a.parquet")
    check(read("SELECT * FROM 'a.parquet'", base=tmp_path))


def test_glob_takes_files_in_order(tmp_path: Path) -> None:
    head, *body = CSV.splitlines(keepends=True)
    (tmp_path / "2.csv").write_text(head + "".join(body[2:]))
    (tmp_path / "1.csv").write_text(head + "".join(body[:2]))
    check(read(f"{tmp_path}/*.csv"))
    pq.write_table(pa.table(ROWS).slice(0, 3), tmp_path / "1.parquet")
    pq.write_table(pa.table(ROWS).slice(3), tmp_path / "2.parquet")
    check(read("*.parquet", base=tmp_path))


def test_databases(tmp_path: Path) -> None:
    with duckdb.connect(tmp_path / "shop.duckdb") as connection:
        frame = pa.table(ROWS)
        connection.register("frame", frame)
        connection.execute("CREATE TABLE orders AS SELECT * FROM frame")
        connection.execute("CREATE VIEW other AS SELECT 1 AS a")
    check(read(tmp_path / "shop.duckdb::orders"))
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute('CREATE TABLE orders (amount, "the plan" TEXT, signed TEXT)')
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", zip(*ROWS.values(), strict=True))
    connection.close()
    table = read(f"{tmp_path}/shop.db")
    check(table)
    assert table.name == "shop"


def test_sqlite_log_counts(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE orders (a)")
    connection.execute("INSERT INTO orders VALUES (1)")
    connection.commit()
    before = read(tmp_path / "shop.db")
    connection.execute("INSERT INTO orders VALUES (2)")
    connection.commit()
    after = read(tmp_path / "shop.db")
    connection.close()
    assert (before.n_rows, after.n_rows) == (1, 2)
    assert before.digest != after.digest


def test_sqlite_columns_of_several_types(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "shop.sqlite") as connection:
        connection.execute("CREATE TABLE t (a, b, c)")
        connection.executemany(
            "INSERT INTO t VALUES (?, ?, ?)", [(1, "x", b"\x00"), (2.5, 7, None), (None, None, b"y")]
        )
    connection.close()
    table = read(tmp_path / "shop.sqlite")
    assert table.frame.fetch("SELECT a, b FROM rows") == [(1.0, "x"), (2.5, "7"), (None, None)]


def test_query_over_files(tmp_path: Path) -> None:
    write(tmp_path, "a.csv")
    (tmp_path / "b.csv").write_text("the plan,price\nbasic,10\ngold,20\n")
    sql = """WITH priced AS (SELECT * FROM 'b.csv' WHERE price > 5)
             SELECT a.*, price FROM 'a.csv' AS a LEFT JOIN priced USING ("the plan")
             ORDER BY signed NULLS LAST, amount"""
    table = read(sql, base=tmp_path)
    assert table.name == "query"
    assert table.schema["price"].dtype == "BIGINT"
    assert table.frame.fetch("SELECT amount, price FROM rows") == [(1.5, 10.0), (3.0, None), (None, 20.0), (2.25, None)]
    assert table.digest == fingerprint(sql, base=tmp_path)
    (tmp_path / "b.csv").write_text("the plan,price\nbasic,11\ngold,20\n")
    assert table.digest != fingerprint(sql, base=tmp_path)


def test_query_remembers_how_files_wrote_missing_values(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("age,flag,day\n" + "31,Yes,31/12/2013\nNA,No,1/2/2013\n40,?,NA\n")
    schema = read("SELECT * FROM 'a.csv'", base=tmp_path).schema
    assert [column.kind for column in schema] == ["number", "boolean", "date"]
    assert [column.missing for column in schema] == [("NA",), ("?",), ("NA",)]
    assert (schema["flag"].true, schema["day"].format) == (("Yes",), "%d/%m/%Y")


def test_objects() -> None:
    columns = {**ROWS, "signed": pd.to_datetime(pd.Series(ROWS["signed"]))}
    check(read(pd.DataFrame(columns)))
    check(read(pd.DataFrame({**columns, "the plan": pd.Series(ROWS["the plan"], dtype="category")})))
    check(read(pl.DataFrame(ROWS)))
    check(read(pl.DataFrame(ROWS).lazy()))
    check(read(pa.table(ROWS)))
    check(read(pa.table(ROWS).to_batches()[0]))
    check(read(ROWS))
    check(read(JSON))


def test_digest_of_objects_is_of_their_content() -> None:
    table = pa.table({"a": list(range(100)), "b": ["x", "y"] * 50})
    chunked = pa.concat_tables([table.slice(0, 30), table.slice(30)])
    assert read(table).digest == read(chunked).digest == fingerprint(chunked)
    assert read(table).digest != read(table.slice(1)).digest
    assert read(table).digest != read(table.rename_columns(["a", "c"])).digest
    assert read(table).digest != read(table, columns={"a": ColumnBrief(kind="category")}).digest


def test_digest_asks_the_callers_digester(tmp_path: Path) -> None:
    file = write(tmp_path, "a.csv")
    asked = []

    def remembering(path: Path) -> str:
        asked.append(path)
        return sha256_file(path)

    assert read(file, digest_file=remembering).digest == read(file).digest
    assert asked == [file]


def test_mixed_objects_become_texts() -> None:
    table = read(pd.DataFrame({"a": [1, "x", None, float("nan")], 7: [True, False, None, True]}))
    assert table.frame.fetch("SELECT a FROM rows") == [("1",), ("x",), (None,), (None,)]
    assert table.schema.names == ("a", "7")
    assert table.schema["7"].kind == "boolean"


def test_nested_and_odd_types(tmp_path: Path) -> None:
    rows = {
        "list": [[1, 2], None],
        "struct": [{"x": 1}, {"x": 2}],
        "bytes": [b"ab", b"c"],
        "when": [pd.Timedelta(1), None],
    }
    pq.write_table(pa.table(rows), tmp_path / "a.parquet")
    table = read(tmp_path / "a.parquet")
    assert table.frame.fetch("SELECT list, struct FROM rows") == [("[1,2]", '{"x":1}'), (None, '{"x":2}')]


def test_moments_with_an_offset_are_utc() -> None:
    texts = read({"at": ["2013-01-01T05:00:00+02:00", "2013-06-01T05:00:00Z"]})
    typed = read(pa.table({"at": pd.to_datetime(["2013-01-01T05:00:00+02:00", "2013-06-01T05:00:00Z"], utc=True)}))
    for table in (texts, typed):
        assert table.schema["at"].dtype == "TIMESTAMP WITH TIME ZONE"
        assert table.frame.fetch('SELECT "at"::VARCHAR FROM rows') == [
            ("2013-01-01 03:00:00",),
            ("2013-06-01 05:00:00",),
        ]


def test_cells_of_ten_thousand_characters(tmp_path: Path) -> None:
    long = "word " * 2_000
    (tmp_path / "a.csv").write_text("id,note\n" + "".join(f'{i % 5},"{long}{i}"\n' for i in range(50)))
    table = read(tmp_path / "a.csv")
    assert table.schema["note"].kind == "text"
    assert table.frame.fetch("SELECT note FROM rows LIMIT 1") == [(f"{long}0",)]


def test_unnamed_index_column(tmp_path: Path) -> None:
    pd.DataFrame({"a": range(50)}).to_csv(tmp_path / "a.csv")
    assert read(tmp_path / "a.csv").schema["column0"].kind == "id"


def test_table_is_returned_as_it_is_unless_more_is_said() -> None:
    table = read(ROWS, name="orders")
    assert read(table) is table
    assert read(table, columns={"amount": ColumnBrief(kind="number")}) is table
    told = read(table, columns={"amount": ColumnBrief(kind="category"), "signed": ColumnBrief(known_at="later")})
    assert (told.schema["amount"].kind, told.schema["signed"].known_at, told.name) == ("category", "later", "orders")
    assert told.frame.fetch("SELECT amount FROM rows") == [("1.5",), (None,), ("3",), ("2.25",)]
    assert told.digest != table.digest
    assert fingerprint(table) == table.digest


def test_rows_are_a_snapshot(tmp_path: Path) -> None:
    file = write(tmp_path, "a.csv")
    table = read(file)
    file.write_text("amount,the plan,signed\n")
    check(table)


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    table = read(ROWS)
    assert list(tmp_path.iterdir()) != []
    del table
    with pytest.raises(TableError):
        read({"a": []})
    assert list(tmp_path.iterdir()) == []
