"""Classifiers with a threshold of their own: ``FixedThresholdClassifier``, ``TunedThresholdClassifierCV``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.labels import second_where
from shiplap.adapters.frameworks.sklearn.members import second

__all__ = ["Rule", "decider", "decides", "limit_of", "rule_of", "thresholded"]


@dataclass(frozen=True)
class Rule:
    """How a classifier with a threshold decides between its two classes.

    Parameters
    ----------
    method : str
        Which answer it compares: ``predict_proba`` or ``decision_function``.
    second : bool
        Whether the second class is the one to be found.
    threshold : float
        From where on its probability or score says so.
    """

    method: str
    second: bool
    threshold: float

    @property
    def of_second(self) -> float:
        """The probability or score of the second class from which on the answer is the second class."""
        if self.second:
            return self.threshold
        whole = 1.0 if self.method == "predict_proba" else 0.0
        return float(np.nextafter(whole - self.threshold, np.inf))


def rule_of(estimator: Any) -> Rule | None:
    """Return the rule by which ``predict`` of a fitted estimator decides; None where it has no threshold of its own.

    A pipeline decides as its last step does, a search as its best estimator.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.model_selection import FixedThresholdClassifier
    >>> model = FixedThresholdClassifier(LogisticRegression(), threshold=0.3).fit([[0.0], [1.0]], [0, 1])
    >>> rule_of(model)
    Rule(method='predict_proba', second=True, threshold=0.3)
    """
    estimator = decider(estimator)
    kind = type(estimator).__name__
    if kind == "OneVsOneClassifier" and len(estimator.classes_) == 2:
        # One pair: its vote and its confidence are compared with what its model alone would be compared with.
        return Rule(
            "decision_function", second=True, threshold=float(np.nextafter(limit_of(estimator.estimators_[0]), 1))
        )
    if kind == "FixedThresholdClassifier":
        return _rule(estimator, estimator.pos_label, estimator.threshold)
    if kind == "TunedThresholdClassifierCV":
        return _rule(estimator, estimator._curve_scorer._get_pos_label(), estimator.best_threshold_)
    return None


def decides(estimator: Any, method: str) -> bool:
    """Say whether the labels of a fitted classifier follow from what `method` answers."""
    rule = rule_of(estimator)
    if method == "predict" or rule is not None:
        return rule is None or method in {"predict", rule.method}
    inner = decider(estimator)
    kind = type(inner).__name__
    if kind in {"SVC", "NuSVC"}:  # the probabilities are fitted apart from what decides
        return method != "predict_proba"
    if kind == "NearestCentroid":  # with even classes it decides by plain distances
        return not np.isclose(inner.class_prior_, 1 / len(inner.classes_)).all()
    return method == "predict_proba" or kind != "BaggingClassifier"


def decider(estimator: Any) -> Any:
    """Return the estimator that decides in the end: the last step of a pipeline, the best one of a search."""
    if type(estimator).__name__ == "Pipeline":
        return decider(estimator.steps[-1][1])
    if hasattr(estimator, "best_estimator_"):
        return decider(estimator.best_estimator_)
    return decider(estimator.estimator) if type(estimator).__name__ == "FrozenEstimator" else estimator


def limit_of(member: Any) -> float:
    """Return the number above which the score of a model of two classes speaks for the second."""
    return 0.0 if hasattr(member, "decision_function") and is_classifier(member) else 0.5


def _rule(estimator: Any, positive: Any, threshold: Any) -> Rule:
    methods = estimator._get_response_method()
    inner = _inner(estimator)
    known = [methods] if isinstance(methods, str) else methods
    method = next(method for method in known if hasattr(inner, method))
    if isinstance(threshold, str):
        threshold = 0.5 if method == "predict_proba" else 0.0
    return Rule(method, positive is None or bool(positive == estimator.classes_[1]), float(threshold))


def _inner(estimator: Any) -> Any:
    return getattr(estimator, "estimator_", estimator.estimator)


def thresholded(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower a classifier with a threshold: its answers are those of the estimator inside, its labels are not."""
    inner, graph = _inner(estimator), context.graph
    if method != "predict":
        return context.response(inner, block, (method,), type(inner).__name__)[0]
    rule = rule_of(estimator)
    if rule is None:
        raise context.refuse("it has no threshold", hint="fit it before packing")
    tensor, used = context.response(inner, block, (rule.method,), type(inner).__name__)
    limit = graph.constant(np.array([rule.threshold]))
    if rule.second:
        score = second(context, tensor) if used == "predict_proba" else tensor
        return second_where(context, graph.op("GreaterOrEqual", score, limit))
    score = graph.columns(tensor, [0]) if used == "predict_proba" else graph.op("Neg", tensor)
    return second_where(context, graph.op("Not", graph.op("GreaterOrEqual", score, limit)))
