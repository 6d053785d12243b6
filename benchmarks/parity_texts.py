"""Rows that get a wrong answer where a model reads texts, or categories with gaps."""

from __future__ import annotations

import inspect
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from parity_peers import WRONG, answers_of_peers, apart, median_us
from sklearn.base import ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder
from sklearn.utils import all_estimators

import shiplap as sl
from shiplap.proof import time_scorer

TEXT_MODELS: dict[str, Any] = {
    "TfidfVectorizer by default, logistic": make_pipeline(TfidfVectorizer(), LogisticRegression()),
    "TfidfVectorizer of [a-zA-Z0-9_]+": make_pipeline(
        TfidfVectorizer(token_pattern="[a-zA-Z0-9_]+"), LogisticRegression()
    ),
    "CountVectorizer, naive Bayes": make_pipeline(CountVectorizer(ngram_range=(1, 2)), MultinomialNB()),
    "TfidfVectorizer of char_wb": make_pipeline(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=2), LogisticRegression()
    ),
    "HashingVectorizer of 2**16": make_pipeline(HashingVectorizer(n_features=2**16), LogisticRegression()),
}
GAP_MODELS: dict[str, Any] = {
    "OneHotEncoder": OneHotEncoder(handle_unknown="ignore"),
    "OrdinalEncoder": OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
    "TargetEncoder": TargetEncoder(),
}


def texts() -> tuple[list[str], np.ndarray]:
    """Return sentences of scikit-learn's own documentation, and whether they speak of a classifier."""
    found: dict[str, bool] = {}
    for _, kind in all_estimators():
        for sentence in inspect.getdoc(kind).split(".\n"):
            flat = " ".join(sentence.split())
            if 30 < len(flat) < 400:
                found.setdefault(flat, issubclass(kind, ClassifierMixin))
    return list(found), np.array(list(found.values()), dtype=int)


def table(rows: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Make a table with a category, a tenth of which is None."""
    generator = np.random.default_rng(0)
    city = generator.choice(np.array(["Oslo", "Rome", "Lima", "Bonn"], dtype=object), rows)
    city[generator.random(rows) < 0.1] = None
    frame = pd.DataFrame({"city": pd.Series(city, dtype=object), "size": generator.normal(size=rows)})
    likely = 0.2 + 0.5 * frame["city"].isna() + 0.2 * (frame["city"] == "Oslo")
    return frame, (generator.random(rows) < likely).astype(int)


def main() -> None:
    """Train, convert both ways, count."""
    sentences, subject = texts()
    frame, bought = table(4_000)
    fitted: dict[str, tuple[Any, Any]] = {}
    for name, model in TEXT_MODELS.items():
        fitted[name] = model.fit(sentences, subject), sentences
    for name, encoder in GAP_MODELS.items():
        columns = ColumnTransformer([("city", encoder, ["city"]), ("size", "passthrough", ["size"])])
        fitted[f"{name}, a tenth None"] = make_pipeline(columns, LogisticRegression()).fit(frame, bought), frame
    theirs = answers_of_peers(fitted, limit_s=120)
    print(f"\nRows answered wrong (by more than {WRONG}), largest difference; one row, us; size, KB")
    for name, (model, rows) in fitted.items():
        show(name, model, rows, theirs[name])


def show(name: str, model: Any, rows: Any, theirs: dict[str, Any]) -> None:
    """Pack a model and print its three lines."""
    expected = model.predict_proba(rows)
    with tempfile.TemporaryDirectory() as scratch:
        start = time.perf_counter()
        ship = sl.pack(model, rows, path=Path(scratch) / "model.ship")
        seconds = time.perf_counter() - start
        scorer = sl.load(ship.path)
        sent = pd.DataFrame({"text": rows}) if isinstance(rows, list) else rows
        ours = apart([scorer.predict_proba(sent)], expected)
        single_us = time_scorer(scorer, sent.iloc[:64].to_dict("records")).p50_us
        size = ship.sealed_bytes
    print(f"{name}, {len(expected):,} rows  (pack: {seconds:.1f} s)")
    one = rows[:1] if isinstance(rows, list) else rows.iloc[:1]
    print(f"  original     {'':23}   {median_us(lambda: model.predict_proba(one)):7.0f} us")
    print(f"  Shiplap      {_wrong(ours)}   {single_us:7.0f} us {size / 1e3:9.0f} KB")
    if "failed" in theirs:
        print(f"  converter    fails: {theirs['failed']}")
    else:
        wrong = _wrong(apart(theirs["outputs"], expected))
        print(f"  converter    {wrong}   {theirs['single_us']:7.0f} us {theirs['size'] / 1e3:9.0f} KB")


def _wrong(distances: np.ndarray) -> str:
    wrong = int(np.sum(~(distances <= WRONG)))
    return f"{wrong:6,} wrong, {np.max(distances):8.1e}"
