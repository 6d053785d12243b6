"""Read CatBoost's own model files, which hold no code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import catboost

from shiplap.core.errors import InputError

__all__ = ["load"]


def load(path: Path) -> Any:
    """Read a model file.

    Parameters
    ----------
    path : Path
        A file that ``save_model`` wrote: ``.cbm``, or its JSON export ``.json``.

    Returns
    -------
    CatBoost, CatBoostClassifier, CatBoostRegressor or CatBoostRanker
        What its loss makes of it.

    Raises
    ------
    InputError
        It is no CatBoost model.
    """
    model = catboost.CatBoost()
    try:
        model.load_model(str(path), format="json" if path.suffix == ".json" else "cbm")
    except catboost.CatBoostError as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(
            f"{path.name} is no CatBoost model: {reason}", hint="write it with save_model, as .cbm or .json"
        ) from error
    if not model.tree_count_:  # any JSON object is read without complaint
        raise InputError(f"{path.name} is no CatBoost model: it holds no tree", hint="write it with save_model")
    for convert in (catboost.to_classifier, catboost.to_regressor, catboost.to_ranker):
        try:
            return convert(model)
        except catboost.CatBoostError:  # its loss is of another kind
            continue
    return model
