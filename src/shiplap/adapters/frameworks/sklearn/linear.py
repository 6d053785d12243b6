"""Linear models: one product, one link."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiplap.adapters.frameworks.lowering import Block, Context
from shiplap.adapters.frameworks.sklearn.outputs import both_classes, inside_or_not, link, normalized, sigmoid, softmax

__all__ = ["glm", "latent", "linear", "linear_classifier", "linear_outliers", "logistic", "robust"]


def linear(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower a linear regression of one target or several: ``X @ coef + intercept``."""
    del method
    return _scores(estimator, block, context)


def latent(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``predict`` of ``PLSRegression``, ``PLSCanonical`` and ``CCA``: subtract the means, then one product."""
    del method
    graph = context.graph
    coefficients = np.asarray(estimator.coef_, np.float64).T
    context.terms += len(coefficients)
    centered = graph.op("Sub", context.matrix(block.pieces), graph.constant(np.asarray(estimator._x_mean, np.float64)))
    product = graph.op("MatMul", centered, graph.constant(coefficients))
    return graph.op("Add", product, graph.constant(np.asarray(estimator.intercept_, np.float64)))


def robust(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``RANSACRegressor``: the regressor that was fitted on the inliers."""
    inner = estimator.estimator_
    return context.response(inner, block, (method,), type(inner).__name__)[0]


def glm(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower a generalized linear regression with an identity or a log link."""
    del method
    scores = _scores(estimator, block, context)
    name = type(estimator._base_loss.link).__name__
    if name not in {"LogLink", "IdentityLink"}:
        raise context.refuse(f"a link of type {name}", hint="use the log or the identity link")
    return link(context, scores, "log" if name == "LogLink" else "identity")


def linear_classifier(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower a linear classifier; probabilities where its loss is logistic or the modified Huber loss."""
    scores = _scores(estimator, block, context)
    if method == "decision_function":
        return scores
    loss = getattr(estimator, "loss", None)
    if loss == "log_loss":
        if len(estimator.classes_) == 2:
            return both_classes(context, link(context, scores, "logit"))
        return normalized(context, sigmoid(context, scores), even=len(estimator.classes_))
    if loss == "modified_huber":
        shares = _huber(scores, context)
        if len(estimator.classes_) == 2:
            return both_classes(context, shares)
        return normalized(context, shares, even=len(estimator.classes_))
    raise context.refuse(
        f"{type(estimator).__name__} with loss {loss!r} gives no plain probability",
        hint="wrap it in CalibratedClassifierCV",
    )


def _huber(scores: str, context: Context) -> str:
    """Return ``(clip(s, -1, 1) + 1) / 2``."""
    graph = context.graph
    low, high = (graph.constant(np.array(limit)) for limit in (-1.0, 1.0))
    raised = graph.op("Add", graph.op("Min", graph.op("Max", scores, low), high), graph.constant(np.array([1.0])))
    return graph.op("Div", raised, graph.constant(np.array([2.0])))


def linear_outliers(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``SGDOneClassSVM``: a product, and how far it lies from the offset."""
    graph = context.graph
    offset = graph.constant(np.asarray(estimator.offset_, np.float64).reshape(1, 1))
    coefficients = graph.constant(np.atleast_2d(np.asarray(estimator.coef_, np.float64)).T)
    context.terms += estimator.n_features_in_
    decision = graph.op("Sub", graph.op("MatMul", context.matrix(block.pieces), coefficients), offset)
    if method == "score_samples":
        return graph.op("Add", decision, offset)
    return inside_or_not(context, decision) if method == "predict" else decision


def logistic(estimator: Any, block: Block, context: Context, method: str) -> str:
    """Lower ``LogisticRegression``: sigmoid for two classes, softmax for more."""
    scores = _scores(estimator, block, context)
    if method == "decision_function":
        return scores
    if len(estimator.classes_) == 2:
        return both_classes(context, link(context, scores, "logit"))
    return softmax(context, scores)


def _scores(estimator: Any, block: Block, context: Context) -> str:
    known = estimator.coef_.toarray() if hasattr(estimator.coef_, "toarray") else estimator.coef_  # after `sparsify`
    coefficients = np.atleast_2d(np.asarray(known, np.float64)).T
    n_targets = coefficients.shape[1]
    intercept = np.broadcast_to(np.ravel(np.asarray(estimator.intercept_, np.float64)), (n_targets,))
    context.terms += len(coefficients)
    graph = context.graph
    matrix = context.matrix(block.pieces)
    return graph.op("Gemm", matrix, graph.constant(coefficients), graph.constant(np.array(intercept)))
