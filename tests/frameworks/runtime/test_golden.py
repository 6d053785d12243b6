"""Ships of earlier versions, on the oldest runtime and libraries that the base install allows."""

from importlib.metadata import version
from pathlib import Path

import pytest

from shiplap.scoring import load, verify

SHIPS = sorted((Path(__file__).parent / "golden").glob("*.ship"))


def test_this_is_the_oldest_runtime():
    assert version("onnxruntime").startswith("1.22.")


@pytest.mark.parametrize("path", SHIPS, ids=lambda path: path.stem)
def test_a_ship_answers_as_it_did_where_it_was_sealed(path):
    report = verify(path)
    assert report.holds, report
    assert report.metrics["vectors"] > 10


@pytest.mark.parametrize("path", SHIPS, ids=lambda path: path.stem)
def test_a_single_row_is_answered_like_many(path):
    scorer = load(path)
    vectors = scorer.ship.certificate.vectors
    row = dict(zip(vectors.columns, vectors.rows[0], strict=True))
    many = scorer.outputs([row] * 3)
    assert scorer.output(row) == pytest.approx(many[2].tolist(), rel=1e-9, nan_ok=True)
