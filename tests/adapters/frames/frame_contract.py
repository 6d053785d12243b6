"""What every frame keeps, wherever its rows lie: the same rows give the same schema, the same rows and answers."""

import datetime
import math
from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from shiplap.adapters.frames import one_in
from shiplap.core.errors import TableError
from shiplap.core.report import Report
from shiplap.core.table import Table

UTC = datetime.UTC


def sample(n: int = 400) -> pa.Table:
    """Make rows of all kinds: gaps, NaN, extremes, odd texts, moments with and without a zone, numbers as texts."""
    draw = np.random.default_rng(0)
    first = datetime.datetime(2013, 3, 1, 0, 30)  # the clocks of New York change on the 10th
    number = draw.normal(size=n) * 10.0 ** draw.integers(-3, 4, n)
    number[::17] = math.nan
    plans = ["basic", "Gold", "grün", 'say "hi"', "it's", "%", "\\d", "Ärger", "a b", "ab", "Ab"]
    moments = [first + datetime.timedelta(minutes=int(step)) for step in np.cumsum(draw.integers(1, 300, n))]
    columns = {
        "key": pa.array(range(1001, 1001 + n), pa.int64()),
        "number": pa.array(number),
        "narrow": pa.array(number.astype(np.float32)),
        "count": pa.array([None if i % 13 == 0 else int(v) for i, v in enumerate(draw.poisson(3, n))], pa.int16()),
        "flag": pa.array([None if i % 11 == 0 else bool(v) for i, v in enumerate(draw.integers(0, 2, n))]),
        "plan": pa.array([None if i % 19 == 0 else plans[v] for i, v in enumerate(draw.integers(0, len(plans), n))]),
        "day": pa.array([moment.date() for moment in moments]),
        "moment": pa.array([None if i % 23 == 0 else moment for i, moment in enumerate(moments)], pa.timestamp("us")),
        "instant": pa.array([moment.replace(tzinfo=UTC) for moment in moments], pa.timestamp("us", "UTC")),
        "text number": pa.array(["NA" if i % 9 == 0 else f" {v:.3f}" for i, v in enumerate(draw.normal(size=n))]),
        "text day": pa.array([moment.date().isoformat() for moment in moments]),
        "text moment": pa.array([moment.isoformat() + "-04:00" for moment in moments]),
        "european": pa.array([moment.strftime("%d.%m.%Y %H:%M") for moment in moments]),
        "answer": pa.array([("yes", "No", "n/a")[v] for v in draw.integers(0, 3, n)]),
        "name": pa.array([f"Name {v:08x}" for v in draw.permutation(n)]),
        "same": pa.array(["x"] * n),
    }
    return pa.table(columns)


ODD_NAMES = (
    "select",
    "ORDER",
    "Size",
    "UPPER",
    "rows",
    "a.b",
    'say "hi"',
    "it's",
    "naïve Ärger",
    "count",
    "*",
    "`tick`",
)


def odd() -> pa.Table:
    """Make rows whose columns have names that mean something else somewhere."""
    return pa.table({name: [place, place + 1, None, place] for place, name in enumerate(ODD_NAMES)})


ODDLY_ASKED = (
    "FROM rows ORDER BY rowid",
    "SELECT R.* FROM ROWS AS r ORDER BY r.RowId",
    'SELECT * EXCLUDE (size, "order") FROM rows ORDER BY rowid',
    "SELECT a.*, b.SIZE AS other FROM rows AS a JOIN Rows AS b ON a.rowid = B.rowid ORDER BY A.ROWID",
    'SELECT sIZE > 2, upper, "select" + "order", "ROWS", count, "*" * 2 FROM rows ORDER BY rowid',
    'SELECT "COUNT" AS K, count(*) AS Number FROM rows GROUP BY k ORDER BY NUMBER, K',
    "WITH Means AS (SELECT size AS s, avg(count) AS Mean FROM rows GROUP BY SIZE) "
    "SELECT count(*), max(mean) FROM means JOIN rows ON S = size",
)
"""Names in any case, and stars: DuckDB does not mind the case, other places do."""

QUERIES = {
    "counts": """SELECT count(*), count(number), count(*) FILTER (WHERE number > 0 AND flag), count(DISTINCT plan),
                 approx_count_distinct(plan), sum(count), sum(CAST(flag AS BIGINT)), count(*) / 3, -7 // 2, -7 % 2
                 FROM rows""",
    "moments of numbers": """SELECT avg(number), stddev_samp(number), var_pop(number), min(number), max(number),
                 corr(number, count), covar_samp(number, count), regr_slope(number, count) FROM rows""",
    "quantiles": """SELECT median(number), quantile_cont(number, 0.25), quantile_cont(number, [0.1, 0.9]),
                 quantile_cont(number, 0.5) FILTER (WHERE flag) FROM rows""",
    "groups": """SELECT plan, count(*) AS n, min(number), max(name) FROM rows GROUP BY plan
                 ORDER BY n DESC, plan""",
    "sorting of missing": "SELECT number, key FROM rows ORDER BY number DESC, key LIMIT 400",
    "sorting of texts": "SELECT DISTINCT plan FROM rows ORDER BY plan",
    "grouping sets": """SELECT k0, k1, count(*) AS n FROM (SELECT plan AS k0, floor(number) AS k1 FROM rows) AS keyed
                 GROUP BY GROUPING SETS ((k0), (k1)) ORDER BY k0, k1, n""",
    "arithmetic": """SELECT count / 2, count % 3, (count / 2) % 1.5, round(number, 2), round(number), floor(number),
                 CAST(count / 2 AS BIGINT), CAST(-count / 2 AS INTEGER),
                 ln(abs(number) + 1), log10(abs(number) + 1), log(abs(number) + 1),
                 log2(abs(number) + 1), pow(abs(number), 0.5), asinh(number), sqrt(abs(number)),
                 exp(-least(abs(number), 500)),
                 greatest(number, count), least(number, count), sign(number), isnan(number), isfinite(number)
                 FROM rows ORDER BY rowid""",
    "moments": """SELECT date_trunc('month', moment), date_trunc('day', instant), date_trunc('hour', "text moment"),
                 extract(hour FROM moment), extract(dow FROM moment), dayofweek(moment), isodow(moment), year(day),
                 month(moment), day(moment), hour(instant), epoch(instant), epoch_us(moment),
                 date_diff('day', day, moment), date_diff('month', moment, instant), date_diff('hour', day, moment),
                 isodow(moment) * 24 + extract(hour FROM moment), minute(moment), quarter(day), dayofyear(day),
                 strftime(moment, '%Y-%m')
                 FROM rows ORDER BY rowid""",
    "texts": """SELECT length(plan), strlen(plan), lower(name), upper(name), contains(name, 'a0'),
                 starts_with(plan, 'a'),
                 regexp_matches(plan, '[aA]b'), regexp_full_match(plan, '[aA]b?'), md5(name), substr(name, 6, 3),
                 plan || '!', coalesce(plan, '?'), replace(name, ' ', ''), trim(plan) FROM rows ORDER BY rowid""",
    "windows": """SELECT key, lag(number) OVER (ORDER BY rowid), row_number() OVER (PARTITION BY plan ORDER BY rowid)
                 FROM rows ORDER BY rowid""",
    "windows in the order of the rows": "SELECT sum(CASE WHEN number < before THEN 1 ELSE 0 END) FROM "
    "(SELECT number, lag(number) OVER () AS before FROM rows) AS paired",
    "picks": """SELECT arg_max(name, moment), arg_min(name, moment), bool_or(flag), bool_and(flag), any_value(same),
                 max(name), min(plan) FROM rows GROUP BY plan ORDER BY plan""",
    "conditions": """SELECT count(*) FROM rows WHERE plan IS DISTINCT FROM 'basic' AND number BETWEEN -1 AND 1
                 AND moment > TIMESTAMP '2013-03-21' AND plan IN ('basic', 'Gold', 'ab')""",
    "with": "WITH means AS (SELECT plan, avg(number) AS mean FROM rows GROUP BY plan) "
    "SELECT count(*), max(mean) FROM means JOIN rows USING (plan)",
    "columns that say the same": """SELECT
                 count(CASE WHEN abs(epoch(instant) - (epoch("text moment") * 1.0 + -14400.0)) <= 1e-06 THEN 1 END),
                 count(CASE WHEN abs(CASE WHEN flag THEN 1.0 WHEN NOT flag THEN 0.0 END - (number * 2.5 + 1e-05))
                       <= 0.25 AND number = 1.5 THEN 1 END),
                 count(CASE WHEN (plan IS NULL) <> (flag IS NULL) THEN 1 END),
                 count(CASE WHEN lower(trim(plan)) = lower(trim(name)) AND lower(trim(plan)) = 'it''s' THEN 1 END)
                 FROM rows""",
    "duplicates": "SELECT count(*) - count(DISTINCT hash(plan, flag, count)) FROM rows",
    "types": "SELECT typeof(flag), typeof(moment), typeof(number > 1), typeof((number)) FROM rows LIMIT 1",
    "star": "FROM rows ORDER BY rowid LIMIT 3",
}
"""Questions that the rooms ask, or may; DuckDB's answer is the right one."""


def check_schema(expected: Table, table: Table) -> None:
    told = [{name: getattr(one, name) for name in one.__struct_fields__ if name != "dtype"} for one in expected.schema]
    seen = [{name: getattr(one, name) for name in one.__struct_fields__ if name != "dtype"} for one in table.schema]
    assert seen == told
    assert table.n_rows == expected.n_rows


def check_rows(expected: Table, table: Table) -> None:
    sql = "SELECT * FROM rows ORDER BY rowid"
    assert_alike(table.frame.fetch(sql), expected.frame.fetch(sql))
    pd.testing.assert_frame_equal(table.frame.pandas(sql), expected.frame.pandas(sql), rtol=1e-12)
    batches = list(table.frame.batches(sql, rows=150))
    assert max(batch.num_rows for batch in batches) <= 150
    whole = pa.Table.from_batches(batches)
    assert whole.schema.equals(expected.frame.arrow(sql).schema)  # type: ignore[attr-defined]
    assert whole.num_rows == expected.n_rows
    assert whole["name"].to_pylist() == [row[0] for row in expected.frame.fetch("SELECT name FROM rows ORDER BY rowid")]


def check_answers(expected: Table, table: Table, question: str) -> None:
    sql = QUERIES[question]
    assert_alike(table.frame.fetch(sql), expected.frame.fetch(sql))


def check_names(expected: Table, table: Table) -> None:
    assert table.schema.names == expected.schema.names == ODD_NAMES
    for sql in ODDLY_ASKED:
        assert_alike(table.frame.fetch(sql), expected.frame.fetch(sql))


def check_sample(expected: Table, table: Table) -> None:
    """A sample by a seed is the same wherever the rows lie, and about as large as it should be."""
    first, second = (f"SELECT key FROM rows WHERE {one_in(4, seed)} ORDER BY rowid" for seed in (7, 2**32 - 1))
    assert table.frame.fetch(first) == expected.frame.fetch(first)
    assert table.frame.fetch(second) == expected.frame.fetch(second)
    assert 60 <= len(table.frame.fetch(first)) <= 140
    assert table.frame.fetch(first) != table.frame.fetch(second)
    assert table.frame.fetch("SELECT min(rowid), max(rowid), count(DISTINCT rowid) FROM rows") == [(0, 399, 400)]


def check_refusals(table: Table) -> None:
    for sql in ("SELECT nowhere FROM rows", "SELEC 1", "SELECT * FROM elsewhere", "SELECT 1; SELECT 2"):
        with pytest.raises(TableError):
            table.frame.fetch(sql)
    assert table.frame.fetch("SELECT count(*) FROM rows") == [(table.n_rows,)]


def check_reports(here: Report, there: Report, *, rtol: float = 1e-9) -> None:
    """Two reports on the same rows say the same: counts exactly, what is estimated within a tolerance."""
    assert there.verdict == here.verdict
    _check(msgspec.to_builtins(here.metrics), msgspec.to_builtins(there.metrics), "metrics", rtol)
    for part in ("findings", "tables", "figures"):
        told, seen = msgspec.to_builtins(getattr(here, part)), msgspec.to_builtins(getattr(there, part))
        _check(told, seen, part, rtol)


def _check(told: Any, seen: Any, path: str, rtol: float) -> None:
    if isinstance(told, dict) and isinstance(seen, dict):
        assert told.keys() == seen.keys(), path
        for key in told:
            _check(told[key], seen[key], f"{path}.{key}", rtol)
    elif isinstance(told, list | tuple):
        assert len(told) == len(seen), path
        for at, (one, other) in enumerate(zip(told, seen, strict=True)):
            _check(one, other, f"{path}[{at}]", rtol)
    elif isinstance(told, float):
        assert seen == pytest.approx(told, rel=rtol, abs=1e-9, nan_ok=True), path
    else:
        assert told == seen, path


def assert_alike(seen: Iterable[tuple[Any, ...]], expected: Iterable[tuple[Any, ...]]) -> None:
    """Compare rows value by value: of the same type, numbers to 12 digits."""
    seen, expected = list(seen), list(expected)
    assert len(seen) == len(expected)
    for at, (row, right) in enumerate(zip(seen, expected, strict=True)):
        for place, (value, wanted) in enumerate(zip(row, right, strict=True)):
            assert type(value) is type(wanted), (at, place, value, wanted)
            if isinstance(value, float):
                assert value == pytest.approx(wanted, rel=1e-12, abs=1e-12, nan_ok=True), (at, place)
            else:
                assert value == (pytest.approx(wanted) if isinstance(value, list) else wanted), (at, place)
