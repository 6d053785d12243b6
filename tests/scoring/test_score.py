"""Scoring files: streamed, whole or not at all, every trouble with its row."""

from __future__ import annotations

import csv
import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest

from shiplap.core.encoding import Category, Encoding, Number
from shiplap.core.errors import InputError, RowError
from shiplap.core.policy import Policy
from shiplap.core.progress import listening
from shiplap.core.ship import Ship
from shiplap.core.signature import Field, Signature
from shiplap.scoring import load, score

Make = Callable[..., Ship]
CSV = "id,age,paid,color,at\n1,41,Y,red,2013-05-01 05:00:00\n2,?,N,,\n3, 7.5 ,,green,2013-12-31\n"
ROWS: list[dict[str, Any]] = [
    {"id": 1, "age": 41, "paid": True, "color": "red", "at": "2013-05-01T05:00:00Z"},
    {"id": 2, "paid": False},
    {"id": 3, "age": 7.5, "color": "green", "at": "2013-12-31"},
]


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


SOURCES: dict[str, Callable[[Path], object]] = {
    "rows.csv": lambda path: path.write_text(CSV),
    "rows.CSV": lambda path: path.write_text("\ufeff" + CSV.replace("\n", "\r\n"), encoding="utf-8"),
    "semicolons.csv": lambda path: path.write_text(CSV.replace(",", ";") + "\n\n"),
    "rows.tsv": lambda path: path.write_text(CSV.replace(",", "\t")),
    "rows.csv.gz": lambda path: path.write_bytes(gzip.compress(CSV.encode())),
    "rows.jsonl": lambda path: path.write_text(lines(ROWS).replace("\n", "\n\n")),
    "rows.ndjson.gz": lambda path: path.write_bytes(gzip.compress(lines(ROWS).encode())),
    "rows.parquet": lambda path: pd.DataFrame(ROWS).to_parquet(path),
}


def read(path: Path) -> list[dict[str, Any]]:
    """Return the rows of an answer file, as texts where it is CSV."""
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if ".parquet" in path.name:
        return pd.read_parquet(path).to_dict("records")  # type: ignore[return-value]
    if ".jsonl" in path.name:
        return [json.loads(line) for line in content.splitlines()]
    return list(csv.DictReader(content.decode().splitlines(), delimiter="\t" if ".tsv" in path.name else ","))


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("batch_rows", [1, 2, 100])
def test_every_source_gets_the_same_answers(make_ship: Make, tmp_path: Path, name: str, batch_rows: int) -> None:
    scorer = load(make_ship().path)
    SOURCES[name](tmp_path / name)
    report = score(scorer, tmp_path / name, tmp_path / "out.jsonl", keep=["id"], batch_rows=batch_rows)
    found = read(tmp_path / "out.jsonl")
    assert [str(row["id"]) for row in found] == ["1", "2", "3"]
    assert [row["probability"] for row in found] == pytest.approx(scorer.predict_proba(ROWS)[:, 1].tolist(), rel=1e-14)
    assert [row["prediction"] for row in found] == scorer.predict(ROWS).tolist()
    assert [row["decision"] for row in found] == scorer.decide(ROWS).tolist()
    assert (report.metrics["n_rows"], report.metrics["n_refused"]) == (3, 0)
    assert report.metrics["n_acted"] == int(scorer.decide(ROWS).sum())


@pytest.mark.parametrize("name", ["out.csv", "out.tsv", "out.csv.gz", "out.jsonl", "out.jsonl.gz", "out.parquet"])
def test_every_target_holds_the_same_answers(make_ship: Make, tmp_path: Path, name: str) -> None:
    ship = make_ship()
    rows = tmp_path / "rows.csv"
    rows.write_text(CSV)
    score(ship, rows, tmp_path / name)
    found = read(tmp_path / name)
    assert list(found[0]) == ["prediction", "probability", "decision"]
    expected = load(ship.path).predict_proba(ROWS)[:, 1].tolist()
    assert [float(row["probability"]) for row in found] == pytest.approx(expected, rel=1e-14)
    assert [str(row["decision"]).lower() for row in found] == [
        str(bool(acts)).lower() for acts in load(ship.path).decide(ROWS)
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["small.ship", "rows.csv", name])


def test_classes_get_a_column_each_and_numbers_none(make_ship: Make, tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.csv", tmp_path / "out.csv"
    rows.write_text("a\n1\n-2\n")
    inputs = (Field(name="a", kind="number"),)
    parts: dict[str, Any] = {"encoding": Encoding(operations=(Number(column="a"),))}
    for task, classes, names in (
        ("multiclass", ("x", "y", "z"), ["probability_x", "probability_y", "probability_z"]),
        ("regression", (), []),
    ):
        parts["policy"] = Policy(task=task, classes=classes)  # type: ignore[arg-type]
        parts["signature"] = Signature(inputs=inputs, task=task, classes=classes)  # type: ignore[arg-type]
        score(make_ship(**parts), rows, out)
        assert list(read(out)[0]) == ["prediction", *names, "decision"]


def wide(text: str) -> bytes:
    return text.encode("utf-16")


BROKEN: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "no file": (lambda path: None, "rows.csv", "no file '.*rows.csv'"),
    "a folder": (Path.mkdir, "rows.csv", "cannot be read: Is a directory"),
    "nothing": (lambda path: path.write_text(""), "rows.csv", "is empty"),
    "no lines": (lambda path: path.write_text(""), "rows.jsonl", "holds no rows"),
    "names only": (lambda path: path.write_text("age,paid,color,at\n"), "rows.csv", "holds no rows"),
    "a column too few": (
        lambda path: path.write_text("aeg,paid,color,at\n1,Y,red,\n"),
        "rows.csv",
        "has no column 'age' .did you mean 'aeg'",
    ),
    "a column twice": (
        lambda path: path.write_text("age,age,paid,color,at\n1,1,Y,red,\n"),
        "rows.csv",
        "the column 'age' more than once",
    ),
    "a cell too many": (
        lambda path: path.write_text(CSV + "1,2,3,4,5,6\n"),
        "rows.csv",
        "line 5: 6 fields where the header has 5",
    ),
    "an open quote": (lambda path: path.write_text(CSV + '4,"2'), "rows.csv", "not readable as CSV: unexpected end"),
    "no UTF-8": (lambda path: path.write_bytes(CSV.encode() + b"1,\xff,,,\n"), "rows.csv", "is not UTF-8"),
    "UTF-16": (lambda path: path.write_bytes(wide(CSV)), "rows.csv", "is not UTF-8"),
    "half a gzip": (lambda path: path.write_bytes(gzip.compress(CSV.encode())[:-9]), "rows.csv.gz", "whole gzip file"),
    "no gzip": (lambda path: path.write_text(CSV), "rows.csv.gz", "is not a whole gzip file"),
    "a bad gzip": (
        lambda path: path.write_bytes(gzip.compress(CSV.encode())[:20] + b"x" * 40),
        "rows.csv.gz",
        "is not a whole gzip file",
    ),
    "no JSON": (lambda path: path.write_text(lines(ROWS) + "{]\n"), "rows.jsonl", "line 4: not a JSON object"),
    "no object": (lambda path: path.write_text("[1]\n"), "rows.jsonl", "line 1: not a JSON object"),
    "JSON without end": (lambda path: path.write_text("[" * 9_999), "rows.jsonl", "line 1: not a JSON object"),
    "a stray object": (
        lambda path: path.write_text(lines(ROWS) + '{"aeg": 1}\n'),
        "rows.jsonl",
        "line 4: none of the model's columns is there .did you mean 'age'",
    ),
    "a word": (
        lambda path: path.write_text(CSV + "4,old,,,\n"),
        "rows.csv",
        "row 4, column 'age': expected a number, got the text 'old'",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("batch_rows", [3, 100])
def test_broken_sources_leave_nothing(make_ship: Make, tmp_path: Path, name: str, batch_rows: int) -> None:
    make, file, says = BROKEN[name]
    ship = make_ship()
    make(tmp_path / file)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=says) as raised:
        score(ship, tmp_path / file, tmp_path / "out.csv", batch_rows=batch_rows)
    assert "\n" not in str(raised.value)
    assert sorted(tmp_path.iterdir()) == before


def test_the_row_that_is_refused_is_counted_from_the_start(make_ship: Make, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("age,paid,color,at\n" + "1,,,\n" * 2_000 + "1,maybe,,\n")
    with pytest.raises(RowError, match="row 2,001, column 'paid': expected yes or no") as raised:
        score(make_ship(), rows, tmp_path / "out.csv", batch_rows=64)
    assert (raised.value.row, raised.value.column) == (2_000, "paid")


def test_a_refused_row_gets_the_fallback_where_that_is_asked(make_ship: Make, tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.csv", tmp_path / "out.jsonl"
    rows.write_text(CSV + "4,old,,,\n5,1,,,\n")
    with pytest.raises(InputError, match="the ship's policy has no fallback"):
        score(make_ship(), rows, out, on_error="fallback")
    ship = make_ship()
    ship = make_ship(policy=msgspec.structs.replace(ship.policy, fallback=False))
    report = score(ship, rows, out, on_error="fallback", keep=["id"])
    found = read(out)
    assert found[3] == {"id": "4", "prediction": None, "probability": None, "decision": False}
    assert all(row["prediction"] is not None for at, row in enumerate(found) if at != 3)
    assert found[4]["probability"] == load(ship.path).predict_row({"age": 1}).probabilities[1]
    assert (report.metrics["n_refused"], report.findings[-1].check) == (1, "score.refused")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"keep": ["decision"]}, "'decision' is a column of the answers and cannot be kept"),
        ({"keep": ["idd"]}, "has no column 'idd' .did you mean 'id'"),
        ({"on_error": "skip"}, "on_error is 'stop' or 'fallback', not 'skip'"),
        ({"batch_rows": 0}, "batch_rows must be 1 or more, not 0"),
    ],
)
def test_options_are_checked(make_ship: Make, tmp_path: Path, options: dict[str, Any], says: str) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text(CSV)
    with pytest.raises(InputError, match=says):
        score(make_ship(), rows, tmp_path / "out.csv", **options)
    assert not (tmp_path / "out.csv").exists()


def test_the_rows_are_not_replaced(make_ship: Make, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text(CSV)
    for source in (rows, str(rows), tmp_path / "." / "rows.csv"):
        with pytest.raises(InputError, match="would replace the rows themselves"):
            score(make_ship(), source, rows)
    assert rows.read_text() == CSV


def test_an_interrupt_leaves_the_old_answers(make_ship: Make, tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.csv", tmp_path / "out.csv"
    rows.write_text(CSV)
    out.write_text("old")

    def interrupt(text: str, done: float | None) -> None:
        raise KeyboardInterrupt

    with listening(interrupt), pytest.raises(KeyboardInterrupt):
        score(make_ship(), rows, out, batch_rows=1)
    assert out.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "rows.csv", "small.ship"]


def test_progress_is_told(make_ship: Make, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("age,paid,color,at\n" + "1,,,\n" * 20_000)
    told: list[float | None] = []
    with listening(lambda text, done: told.append(done)):
        score(make_ship(), rows, tmp_path / "out.csv", batch_rows=1_000)
    assert told[-1] == 1.0
    assert told == sorted(told)  # type: ignore[type-var]
    assert len(told) == 20


def test_other_formats_name_what_they_need(make_ship: Make, tmp_path: Path) -> None:
    program = """
import sys
from shiplap.core.errors import MissingExtraError
sys.modules.update(dict.fromkeys(("duckdb", "pyarrow", "pandas")))
from shiplap.scoring import score
for source, out in (("rows.parquet", "out.csv"), ("rows.csv", "out.parquet")):
    try:
        score(sys.argv[1], source, out)
    except MissingExtraError as error:
        print(error)
"""
    (tmp_path / "rows.csv").write_text(CSV)
    command = [sys.executable, "-c", program, str(make_ship().path)]
    found = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert found.stdout.splitlines() == [
        "reading 'rows.parquet' needs a library that is not installed (pip install \"shiplap[lab]\")",
        "writing 'out.parquet' needs a library that is not installed (pip install \"shiplap[lab]\")",
    ]


def test_memory_does_not_grow_with_the_rows(make_ship: Make, tmp_path: Path) -> None:
    encoding = Encoding(operations=(Number(column="age"), Category(column="color", categories=("red",))))
    ship = make_ship(encoding=encoding)
    program = """
import resource, sys
from shiplap.scoring import load, score
scorer = load(sys.argv[1])
peaks = []
for rows in sys.argv[2:]:
    score(scorer, rows, rows + ".out.csv")
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print(peaks[1] - peaks[0])
"""
    for name, n_rows in (("small.csv", 20_000), ("large.csv", 200_000)):
        (tmp_path / name).write_text("age,color\n" + "12.5,red\n" * n_rows)
    files = [str(tmp_path / name) for name in ("small.csv", "large.csv")]
    found = subprocess.run(
        [sys.executable, "-c", program, str(ship.path), *files], capture_output=True, text=True, check=True
    )
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(found.stdout) * unit < 8_000_000
