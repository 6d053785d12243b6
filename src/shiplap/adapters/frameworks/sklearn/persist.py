"""Keep a pipeline as bytes, and read it back, through skops: named types only, never pickle."""

from __future__ import annotations

import zipfile
from typing import Any

import skops.io
from skops.io.exceptions import UntrustedTypesFoundException

from shiplap.core.errors import InputError

__all__ = ["TRUSTED", "dump", "load"]

TRUSTED = (
    "collections.OrderedDict",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMRegressor",
    "numpy.dtype",
    "shiplap.adapters.frameworks.sklearn.dates.date_parts",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.model_selection._split.KFold",
    "sklearn.model_selection._split.StratifiedKFold",
)
"""What is built on reading, beside the types that skops itself trusts: what `train` makes, and nothing else."""


def dump(pipeline: Any) -> bytes:
    """Encode a fitted estimator or pipeline.

    Parameters
    ----------
    pipeline : estimator
        A scikit-learn or LightGBM estimator.

    Returns
    -------
    bytes
        A skops archive.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> load(dump(Ridge(alpha=2.0))).alpha
    2.0
    """
    content: bytes = skops.io.dumps(pipeline)
    return content


def load(content: bytes) -> Any:
    """Decode a skops archive; only types of `TRUSTED`, and those that skops trusts, are built.

    Parameters
    ----------
    content : bytes
        What `dump` or ``skops.io.dumps`` returned.

    Returns
    -------
    estimator

    Raises
    ------
    InputError
        It is not a skops archive, is damaged, or holds a type that is not trusted.
    """
    try:
        return skops.io.loads(content, trusted=list(TRUSTED))
    except UntrustedTypesFoundException as error:
        unknown = [name for name in skops.io.get_untrusted_types(data=content) if name not in TRUSTED]
        raise InputError(
            f"the model file holds the type {unknown[0]}, which is not trusted",
            hint="pack the model from the Python session that made it",
        ) from error
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, ImportError, EOFError) as error:
        raise InputError(
            f"not a model file that can be read: {error}", hint="store the estimator with skops.io.dump"
        ) from error
