"""Make the ships that every later version must read, and every supported runtime must answer alike.

    .venv/bin/python tests/frameworks/runtime/golden/make.py

Run it only when the format changes in a way that its number does not tell: old ships stay.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, SplineTransformer, StandardScaler

import shiplap as sl
from shiplap.adapters.frameworks.sklearn import date_parts

HERE = Path(__file__).parent
GENERATOR = np.random.default_rng(11)


def rows(n: int = 200) -> pd.DataFrame:
    """Make rows of every kind."""
    return pd.DataFrame(
        {
            "amount": GENERATOR.normal(50, 20, n).round(2),
            "age": np.where(GENERATOR.random(n) < 0.1, np.nan, GENERATOR.integers(18, 90, n)),
            "color": GENERATOR.choice(["red", "green", "blue"], n),
            "at": pd.Timestamp("2024-01-01") + pd.to_timedelta(GENERATOR.integers(0, 31_536_000, n), unit="s"),
        }
    )


def main() -> None:
    """Write the ships."""
    X = rows()
    y = (X["amount"] + 20 * (X["color"] == "red") > 55).to_numpy()
    columns = make_column_transformer(
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["color"]),
        (FunctionTransformer(date_parts, kw_args={"parts": ("month", "hour")}), ["at"]),
        ("passthrough", ["amount", "age"]),
    )
    trees = make_pipeline(columns, LGBMClassifier(n_estimators=8, num_leaves=7, n_jobs=1, verbose=-1)).fit(X, y)
    sl.pack(trees, X, path=HERE / "trees.ship")
    numbers = X[["amount", "age"]]
    histogram = HistGradientBoostingRegressor(max_iter=8, max_leaf_nodes=7).fit(numbers, X["amount"] * 2)
    sl.pack(histogram, numbers, path=HERE / "histogram.ship")
    spline = make_pipeline(SplineTransformer(4), LogisticRegression()).fit(X[["amount"]], y)
    sl.pack(spline, X[["amount"]], path=HERE / "spline.ship")
    words = [f"a {color} thing for {amount:.0f} coins" for color, amount in zip(X["color"], X["amount"], strict=True)]
    text = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(words, y)
    sl.pack(text, pd.DataFrame({"text": words}), path=HERE / "text.ship")
    encoded = make_column_transformer((OneHotEncoder(), ["color"]), (StandardScaler(), ["amount"]))
    net = make_pipeline(encoded, MLPClassifier((8,), max_iter=40)).fit(X, X["color"])
    sl.pack(net, X, path=HERE / "net.ship")
    plane = X[["amount"]].assign(more=X["amount"] ** 2)
    sl.pack(PCA(2).fit(plane), plane, path=HERE / "pca.ship")


if __name__ == "__main__":
    main()
