"""Imputers and indicators: markers, empty columns, texts, rounds of models."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import sklearn.experimental.enable_iterative_imputer  # noqa: F401
from sklearn.compose import ColumnTransformer
from sklearn.impute import IterativeImputer, KNNImputer, MissingIndicator, SimpleImputer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.tree import DecisionTreeRegressor

from shiplap.core.errors import RefusedError
from shiplap.proof import certify, lower
from shiplap.scoring import Scorer, write_ship


@pytest.fixture(scope="module")
def holed(plain):
    gone = np.random.default_rng(5).random(plain["rows"].shape) < 0.15
    return np.where(gone, np.nan, plain["rows"])


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent"])
@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.filterwarnings("ignore:Skipping features")
def test_a_column_without_any_value_is_kept_or_left_out(strategy, keep, holed, proven):
    rows = holed.copy()
    rows[:, 2] = np.nan
    imputer = SimpleImputer(strategy=strategy, keep_empty_features=keep, add_indicator=True)
    proven(imputer.fit(rows), rows)


@pytest.mark.parametrize("marker", [-1.0, 0])
def test_another_number_may_mean_missing(marker, holed, proven):
    rows = np.where(np.isnan(holed), float(marker), holed)
    proven(SimpleImputer(missing_values=marker, add_indicator=True).fit(rows), rows)
    proven(MissingIndicator(missing_values=marker).fit(rows), rows)
    proven(IterativeImputer(missing_values=marker, max_iter=2, random_state=0).fit(rows), rows)


def test_indicators_of_texts_and_numbers_beside_what_fills_them(holed, proven):
    generator = np.random.default_rng(6)
    color = pd.Series(generator.choice(["red", "blue", ""], len(holed)), dtype=object)
    frame = pd.DataFrame({"color": color.where(generator.random(len(holed)) > 0.2, np.nan), "x": holed[:, 0]})
    proven(MissingIndicator(features="all").fit(frame), frame)
    filled = SimpleImputer(strategy="most_frequent", add_indicator=True)
    proven(ColumnTransformer([("text", make_pipeline(filled, OneHotEncoder()), ["color"])]).fit(frame), frame)


@pytest.mark.parametrize(
    "options",
    [
        {"max_iter": 3, "add_indicator": True, "min_value": -1.0, "max_value": 1.0},
        {"max_iter": 2, "estimator": Ridge(), "n_nearest_features": 2, "initial_strategy": "median"},
        {"max_iter": 2, "estimator": DecisionTreeRegressor(max_depth=3, random_state=0)},
        {"max_iter": 0},
    ],
    ids=["limits", "few columns", "trees", "no round"],
)
@pytest.mark.filterwarnings("ignore:.*Early stopping criterion")
def test_rounds_of_models_fill_what_the_first_guess_left(options, holed, proven):
    proven(IterativeImputer(random_state=0, **options).fit(holed), holed)


@pytest.mark.filterwarnings("ignore:.*Early stopping criterion")
def test_an_imputer_stands_before_a_model(holed, plain, proven):
    model = make_pipeline(IterativeImputer(max_iter=2, random_state=0), LinearRegression())
    proven(model.fit(holed, plain["score"]), holed)


@pytest.mark.filterwarnings("ignore:.*Early stopping criterion")
def test_chance_is_refused(holed, proven):
    with pytest.raises(RefusedError, match="draws its values by chance"):
        proven(IterativeImputer(sample_posterior=True, max_iter=1, random_state=0).fit(holed), holed)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("options", [{"n_neighbors": 1}, {"add_indicator": True, "keep_empty_features": True}])
def test_donors_are_the_nearest_rows(weights, options, holed, proven):
    proven(KNNImputer(weights=weights, **options).fit(holed), holed)
    rows = holed.copy()
    rows[:, 2] = np.nan
    proven(KNNImputer(weights=weights, **options).fit(rows), rows)


def test_equally_near_donors_are_a_tie_and_nothing_else_is(holed, tmp_path):
    """NumPy's partition leaves any of equals in front; a row without equals has one answer."""
    frame = pd.DataFrame(holed[:, :2].round(0), columns=["a", "b"])
    subject = lower(KNNImputer(n_neighbors=2).fit(frame), frame)
    parts = {"signature": subject.signature, "policy": subject.policy, "encoding": subject.lowered.encoding}
    scorer = Scorer(write_ship(tmp_path / "near.ship", name="near", graph=subject.lowered.graph, **parts))
    open_ = certify(subject, scorer)
    assert (open_.flips, open_.ties > 0) == (0, True)
    vectors = open_.vectors
    replayed = scorer.outputs([dict(zip(vectors.columns, row, strict=True)) for row in vectors.rows])
    np.testing.assert_allclose(replayed, np.array(vectors.outputs), rtol=1e-14)
    strict = certify(dataclasses.replace(subject, lowered=dataclasses.replace(subject.lowered, doubt=b"")), scorer)
    assert (strict.flips, strict.ties) == (open_.ties, 0)
    other = lower(KNNImputer(n_neighbors=3).fit(frame), frame)
    wrong = Scorer(write_ship(tmp_path / "wrong.ship", name="wrong", graph=other.lowered.graph, **parts))
    assert certify(subject, wrong).flips > 0
