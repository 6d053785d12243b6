"""Scorers: one row or many, in whatever form, with the same answers."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from shiplap.core.encoding import Encoding, Number
from shiplap.core.errors import InputError, RowError, ShipError
from shiplap.core.policy import Policy
from shiplap.core.ship import Ship
from shiplap.core.signature import Field, Signature
from shiplap.scoring import Scorer, load

Make = Callable[..., Ship]
ROWS: list[dict[str, Any]] = [
    {"age": 41, "paid": "Y", "color": "red", "at": "2013-05-01T05:00:00"},
    {"age": "7.5", "paid": None, "color": "green", "at": None},
    {"age": None, "paid": False, "color": "blue", "at": "2013-12-31"},
]


def numbers(task: Any, classes: tuple[Any, ...] = (), **policy: Any) -> dict[str, Any]:
    """Return the parts of a ship of two numbers."""
    return {
        "signature": Signature(
            inputs=(Field(name="a", kind="number"), Field(name="b", kind="number")), task=task, classes=classes
        ),
        "encoding": Encoding(operations=(Number(column="b"), Number(column="a"))),
        "policy": Policy(task=task, classes=classes, **policy),
    }


def test_every_form_of_rows_gets_the_same_answers(make_ship: Make) -> None:
    scorer = load(make_ship().path)
    expected = scorer.predict_proba(ROWS)
    assert expected.shape == (3, 2)
    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    texts = {name: [None if value is None else str(value) for value in values] for name, values in columns.items()}
    for X in (columns, pd.DataFrame(columns), pl.DataFrame(texts), pa.table(texts), pd.DataFrame(texts)):
        np.testing.assert_array_equal(scorer.predict_proba(X), expected)
    for row, probabilities in zip(ROWS, expected, strict=True):
        np.testing.assert_array_equal(scorer.predict_proba(row), [probabilities])
        np.testing.assert_allclose(scorer.predict_row(row).probabilities, probabilities, rtol=1e-14)


def test_a_row_and_a_table_get_the_same_labels_and_decisions(make_ship: Make) -> None:
    scorer = load(make_ship().path)
    answers = [scorer.predict_row(row) for row in ROWS]
    assert [answer.prediction for answer in answers] == scorer.predict(ROWS).tolist()
    assert [answer.decision for answer in answers] == scorer.decide(ROWS).tolist()
    assert scorer.predict(ROWS).dtype.kind == "U"
    assert scorer.decide(ROWS).dtype == bool


def test_a_binary_decision_is_at_or_above_the_threshold(make_ship: Make) -> None:
    row = {"a": 1.0, "b": 2.0}
    parts = numbers("binary", (0, 1), positive=0)
    threshold = load(make_ship(**parts).path).predict_row(row).probabilities[0]
    for limit, acts in ((threshold, True), (np.nextafter(threshold, 1), False)):
        policy = Policy(task="binary", classes=(0, 1), positive=0, threshold=float(limit))
        scorer = load(make_ship(**{**parts, "policy": policy}).path)
        assert scorer.predict_row(row).decision is acts
        assert scorer.decide([row]).tolist() == [acts]


def test_a_multiclass_decision_earns_most(make_ship: Make) -> None:
    matrix = ((1.0, -50.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
    scorer = load(make_ship(**numbers("multiclass", ("x", "y", "z"), matrix=matrix)).path)
    X = {"a": np.linspace(-9, 9, 50), "b": np.linspace(5, -5, 50)}
    worth = scorer.predict_proba(X) @ np.array(matrix).T
    assert scorer.decide(X).tolist() == [("x", "y", "z")[best] for best in worth.argmax(axis=1)]
    assert scorer.decide(X).tolist() != scorer.predict(X).tolist()
    rows = [dict(zip(X, values, strict=True)) for values in zip(*X.values(), strict=True)]
    assert [scorer.predict_row(row).decision for row in rows] == scorer.decide(X).tolist()
    plain = load(make_ship(**numbers("multiclass", ("x", "y", "z"))).path)
    assert plain.decide(X).tolist() == plain.predict(X).tolist()
    assert [plain.predict_row(row).decision for row in rows] == plain.predict(X).tolist()


def test_a_regression_is_a_number_and_an_offset(make_ship: Make) -> None:
    scorer = load(make_ship(**numbers("regression", offset=2.5)).path)
    row = {"a": 1.0, "b": 2.0}
    [prediction] = scorer.predict(row)
    assert scorer.predict_row(row).prediction == prediction
    assert scorer.predict_row(row).decision == prediction + 2.5 == scorer.decide(row)[0]
    with pytest.raises(InputError, match="no probabilities in a ship of regression"):
        scorer.predict_proba(row)


def test_an_array_has_the_order_of_the_signature(make_ship: Make) -> None:
    scorer = load(make_ship(**numbers("regression")).path)
    array = np.arange(6.0).reshape(3, 2)
    np.testing.assert_array_equal(scorer.predict(array), scorer.predict({"a": array[:, 0], "b": array[:, 1]}))
    with pytest.raises(InputError, match=r"an array of shape \(3, 1\) came where \(n_rows, 2\) is expected"):
        scorer.predict(array[:, :1])


@pytest.mark.parametrize("classes", [(0, 1), (False, True), (1.5, 2.5), ("a", "bb")])
def test_labels_keep_their_type(make_ship: Make, classes: tuple[Any, ...]) -> None:
    scorer = load(make_ship(**numbers("binary", classes, positive=1)).path)
    [label] = scorer.predict({"a": 1, "b": 2}).tolist()
    assert type(label) is type(classes[0])
    assert scorer.predict_row({"a": 1, "b": 2}).prediction == label
    assert type(scorer.predict_row({"a": 1, "b": 2}).prediction) is type(classes[0])


def test_labels_of_mixed_types_stay_apart(make_ship: Make) -> None:
    scorer = load(make_ship(**numbers("binary", ("1", 1), positive=1)).path)
    assert set(scorer.predict({"a": [9, -9], "b": [0, 0]}).tolist()) == {"1", 1}


def test_no_rows_get_no_answers(make_ship: Make) -> None:
    scorer = load(make_ship().path)
    assert scorer.predict([]).shape == (0,)
    assert scorer.predict_proba([]).shape == (0, 2)


def test_large_batches_are_run_in_parts(make_ship: Make) -> None:
    scorer = load(make_ship(**numbers("regression")).path, threads=2)
    array = np.random.default_rng(0).normal(size=(40_000, 2))
    np.testing.assert_allclose(scorer.predict(array)[[0, 20_000, 39_999]], scorer.predict(array[[0, 20_000, 39_999]]))


def test_a_refused_row_is_refused(make_ship: Make) -> None:
    scorer = load(make_ship().path)
    for ask in (scorer.predict_row, scorer.predict):
        with pytest.raises(RowError, match="column 'age': expected a number, got the text 'old'"):
            ask({"age": "old"})
    assert scorer.predict_row(ROWS[0]) == scorer.predict_row(ROWS[0])


def test_threads_do_not_share_buffers(make_ship: Make) -> None:
    scorer = load(make_ship().path)
    expected = [scorer.output(row) for row in ROWS]
    wrong: list[int] = []

    def work(at: int) -> None:
        wrong.extend(at for _ in range(500) if scorer.output(ROWS[at]) != expected[at])

    threads = [threading.Thread(target=work, args=(at,)) for at in (0, 1, 2, 0, 1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_graph_that_gives_too_little_is_refused(make_ship: Make) -> None:
    ship, other = make_ship(), make_ship("other.ship", **numbers("regression"))
    broken = Ship(ship.path, ship.manifest, ship.encoding, other.graph, ship.policy)
    with pytest.raises(ShipError, match="does not fit its encoding or its classes"):
        Scorer(broken)


def test_answering_loads_no_training_library_and_no_pickle(make_ship: Make, tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"age": 41, "paid": true, "color": "red", "at": "2013-05-01"}\n')
    program = """
import pickle, sys

def refuse(*_):
    raise SystemExit("a pickle was read")

pickle.load = pickle.loads = pickle.Unpickler = refuse
from shiplap.scoring import load, score, verify
ship, rows, out = sys.argv[1:]
load(ship).predict_row({"age": 41})
verify(ship)
score(ship, rows, out)
heavy = {"sklearn", "pandas", "polars", "pyarrow", "scipy", "lightgbm", "duckdb", "onnx", "bokeh", "skops", "sqlite3"}
print(sorted(heavy & set(sys.modules)))
"""
    found = subprocess.run(
        [sys.executable, "-c", program, make_ship().path, rows, tmp_path / "out.csv"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.stdout, found.stderr) == ("[]\n", "")
