"""Read XGBoost's own model files: JSON and UBJSON, which hold no code; checked before the library gets them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import xgboost

from shiplap.adapters.frameworks.xgboost.checks import check_form
from shiplap.adapters.frameworks.xgboost.ubjson import decode
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
        It is no XGBoost model, or a damaged one.
    """
    content = path.read_bytes()
    try:
        form = decode(content) if path.suffix == ".ubj" else json.loads(content)
        check_form(form)
        # The library reads JSON with care; its decoder of UBJSON it does not get to use.
        checked = bytearray(json.dumps(form).encode())
        model = _KINDS.get(_estimator_type(form), xgboost.Booster)()
        model.load_model(checked)
    except (ValueError, RecursionError) as error:  # XGBoostError is a ValueError; so is text that is none
        raise InputError(
            f"{path.name} is no XGBoost model that version {xgboost.__version__} reads",
            hint="write it with save_model, as .json or .ubj",
        ) from error
    return model


def _estimator_type(form: dict[str, Any]) -> str:
    """Return what scikit-learn kind of estimator saved the booster; empty where none did."""
    text = form["learner"].get("attributes", {}).get("scikit_learn", "{}")
    known = json.loads(text)
    return str(known.get("_estimator_type", "")) if isinstance(known, dict) else ""
