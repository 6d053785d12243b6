"""Targets: columns by name, expressions over columns, and everything else refused."""

import pytest

from shiplap.adapters.frames import Target, read, resolve_target
from shiplap.core.errors import BriefError
from shiplap.core.table import Table


@pytest.fixture(scope="module")
def table() -> Table:
    return read(
        {"arr_delay": [3, 21, None], "carrier": ["UA", "AA", "UA"], "net.total (EUR)": [1, 2, 3], "Late": [0, 1, 1]}
    )


def test_a_column_of_exactly_that_name_comes_first(table: Table) -> None:
    assert resolve_target(table, "net.total (EUR)") == Target(
        '"net.total (EUR)"', ("net.total (EUR)",), "net.total (EUR)"
    )
    assert resolve_target(table, "carrier") == Target('"carrier"', ("carrier",), "carrier")
    assert resolve_target(table, "late") == Target('"Late"', ("Late",), "Late")


@pytest.mark.parametrize(
    ("expression", "columns", "answers"),
    [
        ("arr_delay > 15", ("arr_delay",), [False, True, None]),
        ("arr_delay > 15 AND carrier = 'UA'", ("arr_delay", "carrier"), [False, False, None]),
        ("CASE WHEN carrier IN ('UA', 'B6') THEN 'one' ELSE 'other' END", ("carrier",), ["one", "other", "one"]),
        ('coalesce(rows.arr_delay, 99) - "net.total (EUR)"', ("arr_delay", "net.total (EUR)"), [2.0, 19.0, 96.0]),
        ("lower(carrier) || '!'", ("carrier",), ["ua!", "aa!", "ua!"]),
    ],
)
def test_expressions(expression: str, columns: tuple[str, ...], answers: list[object], table: Table) -> None:
    target = resolve_target(table, expression)
    assert target.columns == columns
    assert target.name == expression
    assert [row[0] for row in table.frame.fetch(f"SELECT {target.sql} FROM rows ORDER BY rowid")] == answers


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("", "no target is given"),
        ("arr_dely", r"a column 'arr_dely' .*did you mean 'arr_delay'"),
        ("arr_dely > 15", r"a column 'arr_dely' .*did you mean 'arr_delay'"),
        ("arr_delay >", "neither a column nor a valid SQL expression"),
        ("1 > 0", "names no column"),
        ("arr_delay, carrier", "not one value"),
        ("arr_delay FROM rows; DROP TABLE rows", "neither a column nor|not one expression"),
        ("arr_delay) FROM rows WHERE (carrier = 'UA'", "neither a column nor|not one expression"),
        ("arr_delay > (SELECT avg(arr_delay) FROM rows)", "a subquery"),
        ("arr_delay > avg(arr_delay)", "'avg', which is not a function of one row"),
        ("arr_delay > lag(arr_delay) OVER ()", "a window function|'lag'"),
        ("arr_delay > random()", "'random', which is not a function of one row"),
        ("arr_delay + getenv('HOME')", "'getenv'"),
        ("carrier > now()", "'now'"),
        ("no_such_function(arr_delay)", "unknown function 'no_such_function'"),
        ("arr_delay > 'many'", r"cannot be computed: .*arr_delay is a number"),
    ],
)
def test_refused(expression: str, said: str, table: Table) -> None:
    with pytest.raises(BriefError, match=said) as caught:
        resolve_target(table, expression)
    assert "\n" not in str(caught.value)
    assert table.frame.fetch("SELECT count(*) FROM rows") == [(3,)]
