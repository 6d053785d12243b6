"""Transformers that no graph of fixed operators repeats, each with the reason and the nearest that can be lowered."""

from __future__ import annotations

from typing import Any

from shiplap.adapters.frameworks.lowering import Block, Context, Piece

__all__ = ["declined"]

_LABELS = ("it encodes labels, not rows", "a ship knows its classes; for a column of categories use OrdinalEncoder")
_SOLVER = "a solver goes on until the rows sent along are solved together, so a row's answer depends on its company"
_REASONS = {
    "LabelBinarizer": _LABELS,
    "LabelEncoder": _LABELS,
    "MultiLabelBinarizer": _LABELS,
    "NMF": (_SOLVER, "use TruncatedSVD or PCA"),
    "MiniBatchNMF": (_SOLVER, "use TruncatedSVD or PCA"),
    "LatentDirichletAllocation": ("it iterates until a row's topics stop moving", "use TruncatedSVD or PCA"),
    "PolynomialCountSketch": (
        "it multiplies inside a fast Fourier transform, which overflows as no operator does",
        "use PolynomialFeatures, or Nystroem with the polynomial kernel",
    ),
    "PatchExtractor": ("it makes several rows of one", "cut the patches before the model"),
}


def declined(estimator: Any, block: Block, context: Context) -> tuple[Piece, ...]:
    """Refuse a transformer with the reason.

    Raises
    ------
    RefusedError
        Always.
    """
    del block
    reason, hint = _REASONS[type(estimator).__name__]
    raise context.refuse(reason, hint=hint)
