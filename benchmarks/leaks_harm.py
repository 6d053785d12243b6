"""Whether rows that share a time or an entity really flatter a verdict: measured by a model that is no part of Shiplap.

A table that is predicted almost without error gains nothing by rows that know each other, and a table whose labels are
mostly noise gains little. So a plant of this kind counts as a leak only where folds by chance make boosted trees of
scikit-learn look better than folds of whole days or customers do. Every row is predicted once each way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import GroupKFold, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder, TargetEncoder

__all__ = ["Flattery", "flattery"]

_FOLDS = 3
_LEAST = 0.02
_DRAWN = 400
_SETTINGS = {"max_iter": 40, "l2_regularization": 1.0, "max_leaf_nodes": 15, "early_stopping": False, "random_state": 0}


@dataclass(frozen=True)
class Flattery:
    """By how much folds by chance raise the explained share of the target, and the 2.5 % end of its bootstrap."""

    value: float
    low: float

    @property
    def leaks(self) -> bool:
        """Whether it is at least 2 % of the target, and surely above nothing."""
        return self.value >= _LEAST and self.low > 0


def flattery(rows: pd.DataFrame, target: str, task: str, by: str) -> Flattery:
    """Measure what folds by chance hide that folds by one column show.

    Parameters
    ----------
    rows : pandas.DataFrame
        The table with the plant in it.
    target, task : str
        The column asked for, and its kind.
    by : str
        A column of dates, which is cut into contiguous blocks, or of names, which are kept whole.
    """
    X = rows.drop(columns=target)
    dates = X[by].dtype.kind == "M"
    whole = X[by].rank(method="dense").astype(int).to_numpy() if dates else pd.factorize(X[by])[0]
    if dates:
        X = X.assign(**{by: whole.astype(float)})
    regression = task == "regression"
    codes = rows[target].to_numpy(float) if regression else pd.factorize(rows[target], sort=True)[0]
    truth = codes[:, None] if regression else np.eye(codes.max() + 1)[codes]
    blocks = whole * _FOLDS // (whole.max() + 1) if dates else whole
    chance, honest = KFold(_FOLDS, shuffle=True, random_state=0), GroupKFold(_FOLDS)
    missed = []
    for folds in (honest.split(X, groups=blocks), chance.split(X)):
        answers = np.zeros_like(truth)
        for learned, asked in folds:
            answers[asked] = _answers(X.iloc[learned], codes[learned], X.iloc[asked], truth.shape[1], by, regression)
        missed.append(np.sum((truth - answers) ** 2, axis=1))
    gained = (missed[0] - missed[1]) / np.mean(np.sum((truth - truth.mean(axis=0)) ** 2, axis=1))
    return Flattery(float(gained.mean()), _low(gained, whole))


def _answers(X: pd.DataFrame, y: np.ndarray, asked: pd.DataFrame, width: int, by: str, regression: bool) -> np.ndarray:
    texts = [name for name in X.columns if X[name].dtype.kind not in "fiub" and name != by]
    encoders = [(OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), texts)]
    if X[by].dtype.kind not in "fiub":
        encoders.append((TargetEncoder(cv=KFold(_FOLDS, shuffle=True, random_state=0)), [by]))
    model = (HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier)(**_SETTINGS)
    pipeline = make_pipeline(make_column_transformer(*encoders, remainder="passthrough"), model).fit(X, y)
    if regression:
        return pipeline.predict(asked)[:, None]
    answers = np.zeros((len(asked), width))
    answers[:, pipeline.classes_] = pipeline.predict_proba(asked)
    return answers


def _low(gained: np.ndarray, whole: np.ndarray) -> float:
    """Return the 2.5 % quantile of the mean when whole days or customers are drawn anew."""
    places = pd.factorize(whole)[0]
    total, size = np.bincount(places, weights=gained), np.bincount(places)
    drawn = np.random.default_rng(0).integers(0, len(size), (_DRAWN, len(size)))
    return float(np.quantile(total[drawn].sum(axis=1) / size[drawn].sum(axis=1), 0.025))
