"""Read XGBoost's own model files: JSON and UBJSON, which hold no code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import xgboost

from shiplap.core.errors import InputError

__all__ = ["load"]

_KINDS = {"classifier": xgboost.XGBClassifier, "regressor": xgboost.XGBRegressor, "ranker": xgboost.XGBRanker}


def load(path: Path) -> Any:
    """Read a model file.

    Parameters
    ----------
    path : Path
        A file that ``save_model`` wrote, ``.json`` or ``.ubj``.

    Returns
    -------
    XGBClassifier, XGBRegressor, XGBRanker or Booster
        The estimator that wrote it, where one did.

    Raises
    ------
    InputError
        It is no XGBoost model.
    """
    booster = xgboost.Booster()
    try:
        booster.load_model(path)
    except ValueError as error:  # XGBoostError is one; so is a message that quotes bytes which are no text
        raise InputError(
            f"{path.name} is no XGBoost model that version {xgboost.__version__} reads",
            hint="write it with save_model, as .json or .ubj",
        ) from error
    kind = _KINDS.get(_estimator_type(booster))
    if kind is None:
        return booster
    model = kind()
    model.load_model(path)
    return model


def _estimator_type(booster: Any) -> str:
    """Return what scikit-learn kind of estimator saved the booster; empty where none did."""
    known = json.loads(booster.attr("scikit_learn") or "{}")
    return str(known.get("_estimator_type", ""))
