"""CSV and Arrow at ``POST /predict``: the scorer's answers, clear refusals, and no bytes that crash the process."""

import csv
import datetime
import decimal
import io
import json
import random
import subprocess
import sys

import httpx
import numpy as np
import pyarrow as pa
import pytest

from shiplap.adapters.arrow import read_batches, write_stream
from shiplap.core.errors import InputError
from shiplap.scoring import load

ARROW, CSV = "application/vnd.apache.arrow.stream", "text/csv"
ROWS = [
    {"age": 41.0, "plan": "basic", "since": "2013-03-01", "paid": True},
    {"age": None, "plan": "plus", "since": None, "paid": False},
    {"age": -3.5, "plan": "unseen", "since": "1999-12-31", "paid": None},
    {"age": 0.0, "plan": None, "since": "2024-02-29", "paid": True},
] * 400


@pytest.fixture(scope="module")
def client(server):
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def expected(scorer):
    return [answer_of(scorer, row) for row in ROWS[:4]] * 400


def answer_of(scorer, row):
    answer = scorer.predict_row(row)
    known = dict(zip(["no", "yes"], answer.probabilities, strict=True))
    return {"prediction": answer.prediction, "probabilities": known, "decision": answer.decision}


def stream(table, **options):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=700)
    return sink.getvalue().to_pybytes()


def send(client, content, kind=ARROW, accept="application/json"):
    return client.post("/predict", content=content, headers={"content-type": kind, "accept": accept})


def same(told, expected):
    assert len(told) == len(expected)
    for mine, theirs in zip(told, expected, strict=True):
        assert mine["probabilities"] == pytest.approx(theirs["probabilities"], rel=1e-13)
        assert (mine["prediction"], mine["decision"]) == (theirs["prediction"], theirs["decision"])
    return True


def dates(rows):
    return [row["since"] and datetime.date.fromisoformat(row["since"]) for row in rows]


def moments(rows):
    return [day and datetime.datetime(day.year, day.month, day.day) for day in dates(rows)]


PLAIN = pa.Table.from_pylist(ROWS)
KINDS = {
    "plain": lambda table: table,
    "dictionary": lambda table: table.set_column(1, "plan", table["plan"].dictionary_encode()),
    "large text": lambda table: table.set_column(1, "plan", table["plan"].cast(pa.large_string())),
    "text view": lambda table: table.set_column(1, "plan", table["plan"].cast(pa.string_view())),
    "float": lambda table: table.set_column(0, "age", table["age"].cast(pa.float32())),
    "decimal": lambda table: table.set_column(
        0, "age", pa.array([row["age"] if row["age"] is None else decimal.Decimal(str(row["age"])) for row in ROWS])
    ),
    "numbers as text": lambda table: table.set_column(
        0, "age", pa.array([None if row["age"] is None else str(row["age"]) for row in ROWS])
    ),
    "date": lambda table: table.set_column(2, "since", pa.array(dates(ROWS), pa.date32())),
    "date in ms": lambda table: table.set_column(2, "since", pa.array(dates(ROWS), pa.date64())),
    **{
        f"timestamp {unit}{zone or ''}": lambda table, unit=unit, zone=zone: table.set_column(
            2, "since", pa.array(moments(ROWS), pa.timestamp(unit, zone))
        )
        for unit in ("s", "ms", "us", "ns")
        for zone in (None, "UTC")
    },
    "yes or no as numbers": lambda table: table.set_column(3, "paid", table["paid"].cast(pa.int8())),
    "other columns": lambda table: table.append_column("other", pa.array([{"a": [1]}] * len(ROWS))),
    "another order": lambda table: table.select(["paid", "since", "plan", "age"]),
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_arrow_table_is_answered_as_by_the_scorer(client, expected, kind):
    assert same(send(client, stream(KINDS[kind](PLAIN))).json(), expected)


def test_a_column_that_is_not_there_or_null_is_missing(client, scorer):
    wanted = [answer_of(scorer, {"age": 7.0}), answer_of(scorer, {"age": None})]
    for table in ({"age": [7, None]}, {"age": [7.0, None], "plan": pa.nulls(2)}, {"age": ["7", ""]}):
        assert same(send(client, stream(pa.table(table))).json(), wanted)
    assert same(send(client, b'age\r\n7\r\n""\r\n', CSV).json(), wanted)


def test_arrow_comes_back_as_arrow(client, scorer, expected):
    answer = send(client, stream(PLAIN), accept="*/*")
    assert answer.headers["content-type"] == ARROW
    table = pa.ipc.open_stream(answer.content).read_all()
    assert table.schema.metadata == {b"model": b"churn", b"ship": scorer.ship.id.encode()}
    assert same(table.to_pylist(), expected)
    assert same(
        pa.ipc.open_stream(client.post("/predict", json=ROWS, headers={"accept": ARROW}).content)
        .read_all()
        .to_pylist(),
        expected,
    )


def test_csv_comes_back_as_csv_where_it_is_asked_for(client, expected):
    text = io.StringIO()
    writer = csv.DictWriter(text, ["paid", "other", *list(ROWS[0])[:3]])
    writer.writeheader()
    writer.writerows({**row, "other": 'a,"b"\n', "plan": row["plan"]} for row in ROWS)
    body = "\ufeff" + text.getvalue()
    assert same(send(client, body, CSV).json(), expected)
    told = list(csv.DictReader(io.StringIO(send(client, body, CSV, CSV).text)))
    assert list(told[0]) == ["prediction", "probabilities.no", "probabilities.yes", "decision"]
    assert [row["prediction"] for row in told] == [row["prediction"] for row in expected]
    assert [row["decision"] == "true" for row in told] == [row["decision"] for row in expected]
    assert [float(row["probabilities.yes"]) for row in told] == pytest.approx(
        [row["probabilities"]["yes"] for row in expected], rel=1e-13
    )


def test_csv_without_a_header_is_in_the_order_of_the_inputs(client, expected):
    body = "41,basic,2013-03-01,true\n,plus,,false\n"
    assert same(send(client, body, "text/csv; header=absent").json(), expected[:2])


@pytest.mark.parametrize("task", ["regression"])
def test_the_forms_of_a_regression(start, regression_ship, task):
    number = load(regression_ship).predict_row(ROWS[0]).prediction
    with start(regression_ship) as run, httpx.Client(base_url=run.url) as client:
        rows = [ROWS[0], {"age": 1}]
        assert (
            client.post("/predict", json=rows, headers={"accept": CSV}).text
            == f"prediction,decision\n{number},{number}\n,\n"
        )
        told = pa.ipc.open_stream(client.post("/predict", json=rows, headers={"accept": ARROW}).content).read_all()
        assert told.column("prediction").to_pylist()[0] == number
        assert np.isnan(told.column("decision").to_pylist()[1])
        assert run.stop() == ""


@pytest.mark.parametrize(
    ("body", "kind", "code", "said"),
    [
        (b"agee,x\n1,2\n", CSV, 422, "names none of the model's columns"),
        (b"age,age\n1,2\n", CSV, 422, "'age' is there more than once"),
        (b"age,plan\n1,2\n1\n", CSV, 422, "row 1: 2 values are expected, not 1"),
        (b"age,plan\n1,2\nx,y\n", CSV, 422, "row 1: column 'age': expected a number, got the text 'x'"),
        (b'age\n"1\n', CSV, 400, "this is not CSV"),
        (b"age\n\xff\n", CSV, 400, "not UTF-8"),
        (b"", ARROW, 400, "a body is expected"),
        (b"x", ARROW, 400, "no Arrow IPC stream"),
        (stream(PLAIN)[:500], ARROW, 400, "no Arrow IPC stream"),
        (stream(PLAIN, compression="zstd"), ARROW, 422, "compressed"),
        (stream(PLAIN, compression="lz4"), ARROW, 422, "compressed"),
        (stream(pa.table({"other": [1]})), ARROW, 422, "none of the model's columns"),
        (stream(pa.table({"age": [{"a": 1}]})), ARROW, 422, "which is not taken"),
        (stream(pa.table({"age": pa.array([1, 1], pa.duration("s"))})), ARROW, 422, "which is not taken"),
        (stream(pa.table([[1], [2]], names=["age", "age"])), ARROW, 422, "more than once"),
        (stream(pa.table({"age": ["1", "forty"]})), ARROW, 422, "row 1: column 'age': expected a number"),
        (stream(pa.table({"age": pa.nulls(100_001)})), ARROW, 413, "at most 100000 rows"),
        (b"age\n" + b"1\n" * 100_001, CSV, 413, "at most 100000 rows"),
    ],
)
def test_what_cannot_be_answered_is_refused(client, body, kind, code, said):
    answer = send(client, body, kind)
    assert (answer.status_code, said in answer.json()["detail"]) == (code, True), answer.text


def test_nothing_that_is_asked_for_is_406(client):
    answer = client.post("/predict", json=ROWS[:2], headers={"accept": "image/png"})
    assert answer.status_code == 406
    assert ARROW in answer.json()["expected"]


def test_views_that_show_one_text_again_and_again_are_refused():
    one = "x" * 10_000
    views = pa.array([one], pa.string_view())
    again = pa.Array.from_buffers(
        pa.string_view(), 500, [None, pa.py_buffer(views.buffers()[1].to_pybytes() * 500), views.buffers()[2]]
    )
    with pytest.raises(InputError, match="more than once"):
        list(read_batches(stream(pa.table({"plan": again})), ["plan"], rows=1_000))


def test_without_pyarrow_the_refusal_says_what_to_install(ship):
    code = """
import asyncio, sys
sys.modules["pyarrow"] = None
from shiplap.engineer.deploy.serve.models.tables import arrow_pieces
from shiplap.engineer.deploy.serve.problem import ProblemError
from shiplap.scoring import load
try:
    next(arrow_pieces(b"x", load(sys.argv[1]).encoder, rows=1))
except ProblemError as problem:
    print(problem.status, problem.members["hint"])
"""
    told = subprocess.run([sys.executable, "-c", code, ship], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout == '415 pip install "shiplap[arrow]"\n'


FUZZ = """
import random, sys
import pyarrow as pa
from shiplap.core.errors import InputError
from shiplap.engineer.deploy.serve.models.tables import arrow_pieces
from shiplap.scoring import load
encoder = load(sys.argv[1]).encoder
chance = random.Random(int(sys.argv[2]))
seeds = [bytes.fromhex(line) for line in sys.stdin]
good = bad = 0
for _ in range(int(sys.argv[3])):
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice([1, 1, 2, 4])):
        place = chance.randrange(len(data)) & chance.choice([~0, ~3, ~7])
        kind = chance.random()
        if kind < 0.3:
            data[place] = chance.choice([0, 1, 255, 128, chance.randrange(256)])
        elif kind < 0.7:
            odd = [0, 1, -1, 2**31 - 1, -2**31, 2**62, 2**63 - 1, -2**63, 2**32, chance.randrange(1000)]
            number = chance.choice(odd)
            data[place : place + 8] = number.to_bytes(8, "little", signed=True)[: len(data) - place]
        elif kind < 0.8:
            del data[place : place + chance.choice([1, 8, 64])]
        elif kind < 0.9:
            data[place:place] = data[place : place + chance.choice([8, 64, 256])]
        else:
            other = chance.choice(seeds)
            data[place:] = other[place:]
        if not data:
            data = bytearray(b"x")
    try:
        for piece in arrow_pieces(bytes(data), encoder, rows=1_000):
            list(piece.rows(slice(0, len(piece))))
            piece.matrix(slice(0, len(piece)))
        good += 1
    except InputError:
        bad += 1
print(good, bad)
"""


@pytest.mark.parametrize("seed", range(3))
def test_no_bytes_crash_the_reader(ship, seed):
    tables = [KINDS[kind](PLAIN).slice(0, 6) for kind in KINDS]
    seeds = "\n".join(stream(table).hex() for table in tables)
    command = [sys.executable, "-c", FUZZ, ship, str(seed), "2500"]
    told = subprocess.run(command, input=seeds, capture_output=True, text=True, timeout=300, check=False)
    assert (told.returncode, told.stderr) == (0, ""), told.stderr[-2_000:]
    good, bad = map(int, told.stdout.split())
    assert good > 100
    assert bad > 100


def test_broken_streams_leave_the_server_well(client):
    chance = random.Random(0)
    whole = stream(PLAIN.slice(0, 50))
    for _ in range(200):
        data = bytearray(whole)
        for _ in range(3):
            data[chance.randrange(len(data))] = chance.randrange(256)
        assert send(client, bytes(data)).status_code in {200, 400, 413, 422}
    assert client.post("/predict", content=json.dumps(ROWS[0])).status_code == 200


def test_a_stream_is_written_and_read():
    columns = {"a": np.array([1.5, np.nan]), "b": {"x": np.array([1, 2]), "y": ["p", "q"]}, "c": np.ones((2, 2, 1))}
    table = pa.ipc.open_stream(write_stream(columns, {"k": "v"})).read_all()
    assert table.column("b").to_pylist() == [{"x": 1, "y": "p"}, {"x": 2, "y": "q"}]
    assert table.column("c").to_pylist() == [[[1.0], [1.0]]] * 2
