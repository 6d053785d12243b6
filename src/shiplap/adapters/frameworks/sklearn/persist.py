"""Keep a pipeline as bytes, and read it back, through skops: named types only, never pickle."""

from __future__ import annotations

import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import skops.io
from sklearn.exceptions import InconsistentVersionWarning

from shiplap.core.errors import InputError, UntrustedError

__all__ = ["COMPILED", "TRUSTED", "dump", "load", "noting_version", "unknown_types"]

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

COMPILED = (
    "numpy.mean",
    "scipy._lib.array_api_compat.numpy._aliases.asarray",
    "scipy.interpolate._bsplines.BSpline",
    "scipy.sparse._csr.csr_matrix",
    "sklearn._loss.loss.HalfTweedieLossIdentity",
    "sklearn.cluster._bisect_k_means._BisectingTree",
    "sklearn.cluster._kmeans._kmeans_single_lloyd",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.feature_selection._univariate_selection.f_regression",
    "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace",
    *(
        f"sklearn.gaussian_process.kernels.{name}"
        for name in ("ConstantKernel", "Product", "RBF", "Sum", "WhiteKernel", "Matern", "RationalQuadratic")
    ),
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.multiclass._ConstantPredictor",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
)
"""Types of scikit-learn and SciPy that run no code of the file, but whose compiled parts believe the arrays they are
given: a crafted file can crash them or worse, so they are built in the sandbox only."""


@contextmanager
def noting_version() -> Iterator[list[str]]:
    """Silence what is warned of while a model is read; the list gets the version of scikit-learn that wrote it.

    The list stays empty where that is the version installed here.

    Examples
    --------
    >>> with noting_version() as versions:
    ...     warnings.warn(InconsistentVersionWarning(
    ...         estimator_name="Ridge", current_sklearn_version="1.9", original_sklearn_version="1.1"))
    >>> versions
    ['1.1']
    """
    versions: list[str] = []
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield versions
    known = (warning.message for warning in said)
    versions.extend(
        dict.fromkeys(str(one.original_sklearn_version) for one in known if isinstance(one, InconsistentVersionWarning))
    )


_QUOTES = "'\""


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


def unknown_types(content: bytes) -> tuple[str, ...]:
    """Return the types that a skops archive would build and that are not among `TRUSTED`; nothing is built.

    Raises
    ------
    InputError
        It is not a skops archive, or is damaged.
    """
    if not content:
        raise InputError("the model file is empty", hint="store the estimator with skops.io.dump")
    with _readable():
        return tuple(name for name in skops.io.get_untrusted_types(data=content) if name not in TRUSTED)


def load(content: bytes, *, trusted: Sequence[str] = ()) -> Any:
    """Decode a skops archive; only types of `TRUSTED`, and those that skops trusts, are built.

    Parameters
    ----------
    content : bytes
        What `dump` or ``skops.io.dumps`` returned.
    trusted : sequence of str
        Further types that are built: in the sandbox, whatever the archive names.

    Returns
    -------
    estimator

    Raises
    ------
    InputError
        It is not a skops archive, is damaged, or holds a type that is not trusted.
    """
    unknown = [name for name in unknown_types(content) if name not in trusted]
    if unknown:
        raise UntrustedError(
            f"the model file holds the type {unknown[0]}, which is not trusted",
            hint="pack the model from the Python session that made it",
        )
    with _readable():
        return skops.io.loads(content, trusted=[*TRUSTED, *trusted])


_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, RuntimeError, KeyError, ValueError),  # RuntimeError: it nests too deep
    *(TypeError, AttributeError, ImportError, EOFError),
)


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        raise InputError(
            f"not a model file that can be read: {str(error).strip(_QUOTES)}",
            hint="store the estimator with skops.io.dump",
        ) from error
