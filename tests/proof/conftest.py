import numpy as np
import pandas as pd
import pytest
from lightgbm import LGBMClassifier
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

from shiplap.adapters.frameworks.sklearn import date_parts
from shiplap.proof import lower
from shiplap.scoring import Scorer, write_ship


@pytest.fixture(scope="session")
def rows():
    generator = np.random.default_rng(1)
    n = 600
    return pd.DataFrame(
        {
            "price": generator.normal(size=n).round(2),
            "count": generator.integers(0, 50, n),
            "color": generator.choice(np.array(["red", "blue", None], dtype=object), n),
            "at": pd.to_datetime("2013-01-01") + pd.to_timedelta(generator.integers(0, 31_536_000, n), unit="s"),
        }
    )


@pytest.fixture(scope="session")
def labels(rows):
    noise = np.random.default_rng(2).normal(size=len(rows))
    return np.where(rows["price"] + rows["count"] / 25 + (rows["color"] == "red") + noise > 1, "yes", "no")


@pytest.fixture(scope="session")
def pipeline(rows, labels):
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    prepare = ColumnTransformer(
        [
            ("number", "passthrough", ["price", "count"]),
            ("category", codes, ["color"]),
            ("date", FunctionTransformer(date_parts, kw_args={"parts": ("month", "hour")}), ["at"]),
        ]
    )
    booster = LGBMClassifier(n_estimators=15, verbose=-1, n_jobs=1, min_child_samples=5)
    return Pipeline([("prepare", prepare), ("model", booster)]).fit(rows, labels)


@pytest.fixture(scope="session")
def subject(pipeline, rows):
    return lower(pipeline, rows)


@pytest.fixture
def load_draft(tmp_path):
    """Seal a subject, with another graph or encoding where one is given, and load it."""

    def load(subject, **changes):
        parts = {"encoding": subject.lowered.encoding, "graph": subject.lowered.graph, **changes}
        draft = write_ship(
            tmp_path / "draft.ship", name="draft", signature=subject.signature, policy=subject.policy, **parts
        )
        return Scorer(draft)

    return load
