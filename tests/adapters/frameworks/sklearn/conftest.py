import warnings

import numpy as np
import pandas as pd
import pytest

from shiplap.adapters.frameworks import Ask
from shiplap.adapters.runtimes import runtimes
from shiplap.proof import certify, lower
from shiplap.scoring import Encoder, Scorer, write_ship


@pytest.fixture(scope="session")
def plain():
    """Rows of four numbers and what can be learned from them."""
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(120, 4)).round(2)
    score = rows @ np.array([1.0, -0.5, 0.25, 0.0]) + generator.normal(size=len(rows)) / 2
    classes = np.digitize(score, [-0.6, 0.6])
    return {
        "rows": rows,
        "score": score,
        "positive": np.abs(score) + 0.1,
        "classes": classes,
        "texts": np.array(["low", "mid", "high"])[classes],
        "binary": np.where(score > 0, "yes", "no"),
        "several": np.column_stack([score, score**2]),
        "labels": np.column_stack([score > 0.5, score > -0.5, rows[:, 0] > 0]).astype(int),
        "mixed": np.column_stack([classes, score > 0]).astype(int),
        "unlabeled": np.where(np.arange(len(rows)) % 3 == 0, -1, classes),
    }


@pytest.fixture(scope="session")
def mixed(plain):
    """The same rows as a frame with a category and gaps."""
    frame = pd.DataFrame(plain["rows"][:, :3], columns=["a", "b", "d"])
    frame["c"] = np.random.default_rng(1).choice(np.array(["r", "g", "b"], dtype=object), len(frame))
    frame.loc[::9, "a"] = np.nan
    return frame


@pytest.fixture
def proven(monkeypatch, tmp_path):
    """Lower what a fitted model answers, certify it with few made-up rows, and return what was lowered."""
    monkeypatch.setitem(certify.__globals__, "_MADE_UP", 200)
    monkeypatch.setitem(certify.__globals__, "_VECTORS", 20)

    def prove(model, X, method=""):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the original's own
            subject = lower(model, X, ask=Ask(method=method))
        ship = write_ship(
            tmp_path / "draft.ship",
            name="draft",
            encoding=subject.lowered.encoding,
            graph=subject.lowered.graph,
            signature=subject.signature,
            policy=subject.policy,
        )
        certificate = certify(subject, Scorer(ship), seed=0)
        assert certificate.flips == 0, certificate.failures[:2]
        return subject.lowered

    return prove


@pytest.fixture
def differs():
    """Fit and lower a transformer; return how far its columns lie apart at most, on thresholds and beyond the data."""

    def measure(model, X, *, beyond=True):
        model.fit(X)
        subject = lower(model, X, ask=Ask(method="transform"))
        rows = [X]
        for index, values in enumerate(subject.lowered.thresholds.values()):
            for near in (values, np.nextafter(values, -np.inf), np.nextafter(values, np.inf)):
                moved = X[: len(near)].copy()
                moved[:, index] = near[: len(moved)] if beyond else np.clip(near[: len(moved)], *_range(X[:, index]))
                rows.append(moved)
        if beyond:
            rows += [X * 3.7, X - 50.0]
        frame = pd.DataFrame(np.concatenate(rows), columns=subject.frame.columns)
        scorer_rows = Encoder(subject.lowered.encoding).matrix(frame)
        ours = runtimes.get("onnxruntime")(subject.lowered.graph).run(scorer_rows)
        return float(np.abs(ours - subject.outputs(frame)).max())

    return measure


def _range(values):
    return values.min(), values.max()
