"""Linear models: one product, one link."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.outputs import both_classes, link, softmax

__all__ = ["glm", "linear", "linear_classifier", "logistic"]


def linear(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower a linear regression: ``X @ coef + intercept``."""
    del method
    return _scores(estimator, block, context)


def glm(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower a generalized linear regression with an identity or a log link."""
    del method
    scores = _scores(estimator, block, context)
    name = type(estimator._base_loss.link).__name__
    if name not in {"LogLink", "IdentityLink"}:
        raise context.refuse(f"a link of type {name}", hint="use the log or the identity link")
    return link(context, scores, "log" if name == "LogLink" else "identity")


def linear_classifier(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower a linear classifier's ``decision_function``; probabilities where its loss is logistic."""
    scores = _scores(estimator, block, context)
    if method == "decision_function":
        return scores
    if getattr(estimator, "loss", "") == "log_loss" and len(estimator.classes_) == 2:
        return both_classes(context, link(context, scores, "logit"))
    raise context.refuse(
        f"{type(estimator).__name__} with loss {getattr(estimator, 'loss', None)!r} gives no plain probability",
        hint="wrap it in CalibratedClassifierCV",
    )


def logistic(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``LogisticRegression``: sigmoid for two classes, softmax for more."""
    scores = _scores(estimator, block, context)
    if method == "decision_function":
        return scores
    if len(estimator.classes_) == 2:
        return both_classes(context, link(context, scores, "logit"))
    if getattr(estimator, "solver", "") == "liblinear":
        raise context.refuse("liblinear trains one model a class", hint="use the solver lbfgs")
    return softmax(context, scores)


def _scores(estimator: Any, block: Block, context: Context) -> str:
    coefficients = np.atleast_2d(np.asarray(estimator.coef_, np.float64)).T
    if coefficients.shape[1] > 1 and not hasattr(estimator, "classes_"):
        raise context.refuse("it predicts several targets at once", hint="pack one model a target")
    intercept = np.broadcast_to(np.asarray(estimator.intercept_, np.float64), (coefficients.shape[1],))
    context.terms += len(coefficients)
    graph = context.graph
    matrix = context.matrix(block.pieces)
    return graph.op("Gemm", matrix, graph.constant(coefficients), graph.constant(np.array(intercept)))
