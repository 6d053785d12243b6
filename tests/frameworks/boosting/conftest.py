import warnings

import numpy as np
import pandas as pd
import pytest

from shiplap.adapters.frameworks import Ask
from shiplap.proof import certify, lower
from shiplap.scoring import Scorer, write_ship

ON_THRESHOLDS = {"on a threshold", "one ulp below", "one ulp above"}


@pytest.fixture(scope="session")
def rows():
    """Numbers with gaps, with few values, and rounded; one column is whole."""
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "a": generator.normal(size=300),
            "b": generator.integers(0, 5, 300).astype(float),
            "c": generator.normal(size=300).round(1),
            "n": generator.integers(-3, 3, 300),
        }
    )
    frame.loc[::7, "a"] = np.nan
    return frame


@pytest.fixture(scope="session")
def targets(rows):
    score = rows["a"].fillna(0) * 3 + rows["b"] + np.random.default_rng(1).normal(size=len(rows))
    return {
        "score": score.to_numpy(),
        "positive": np.abs(score).to_numpy() + 0.1,
        "binary": (score > 2).to_numpy().astype(int),
        "texts": np.where(score > 2, "yes", "no"),
        "classes": np.digitize(score, [1, 3]),
        "several": np.column_stack([score, score**2]),
        "labels": np.column_stack([score > 2, score > 1]).astype(int),
        "interval": np.column_stack([np.abs(score), np.abs(score) + 1]),
    }


@pytest.fixture
def proven(monkeypatch, tmp_path, covered):
    """Lower a fitted model, certify it with few made-up rows, require that no row flips, and note it."""
    monkeypatch.setitem(certify.__globals__, "_MADE_UP", 200)
    monkeypatch.setitem(certify.__globals__, "_VECTORS", 20)

    def prove(model, X, name="", *, limit=1e-12, thresholds=True, ask=None):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the original's own
            subject = lower(model, X, ask=ask or Ask())
        ship = write_ship(
            tmp_path / "draft.ship",
            name="draft",
            encoding=subject.lowered.encoding,
            graph=subject.lowered.graph,
            signature=subject.signature,
            policy=subject.policy,
        )
        certificate = certify(subject, Scorer(ship), seed=0)
        assert certificate.flips == 0, certificate.failures
        assert certificate.largest_difference <= limit
        assert not thresholds or {kind.name for kind in certificate.kinds} >= ON_THRESHOLDS
        if name:
            covered(subject.framework.name, name, "proven", difference=certificate.largest_difference)
        return subject

    return prove
