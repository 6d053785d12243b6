"""The registries of frameworks and emitters, keyed by class path; nothing heavy is imported to fill them.

An emitter of a transformer is a function ``(estimator, block, context) -> tuple of pieces``; one of a predictor is
``(estimator, block, context, method) -> tensor``. Other packages add theirs through the entry-point groups
``shiplap.transformers`` and ``shiplap.predictors``, named by the class path as `class_path` gives it. A labeler is an
emitter of what ``predict`` says, for a classifier whose predictor emitter gives scores and probabilities only.
"""

from __future__ import annotations

from typing import Any

from shiplap.adapters.frameworks.emitters import LABELERS, PREDICTORS, TRANSFORMERS
from shiplap.core.registry import Registry

__all__ = ["class_path", "frameworks", "labelers", "predictors", "transformers"]

frameworks: Registry[Any] = Registry("framework", group="shiplap.frameworks")
transformers: Registry[Any] = Registry("transformer emitter", group="shiplap.transformers")
predictors: Registry[Any] = Registry("predictor emitter", group="shiplap.predictors")
labelers: Registry[Any] = Registry("labeler", group="shiplap.labelers")

_HERE = "shiplap.adapters.frameworks"
_BOOSTING = {
    "lightgbm": {
        "classifier": ("lightgbm.sklearn.LGBMClassifier", f"{_HERE}.lightgbm.framework.BoosterClassifier"),
        "regressor": (
            *("lightgbm.sklearn.LGBMRegressor", "lightgbm.sklearn.LGBMRanker"),
            f"{_HERE}.lightgbm.framework.BoosterRegressor",
        ),
    },
    "xgboost": {
        "classifier": (
            *("xgboost.sklearn.XGBClassifier", "xgboost.sklearn.XGBRFClassifier"),
            f"{_HERE}.xgboost.framework.BoosterClassifier",
        ),
        "regressor": (
            *("xgboost.sklearn.XGBRegressor", "xgboost.sklearn.XGBRFRegressor", "xgboost.sklearn.XGBRanker"),
            f"{_HERE}.xgboost.framework.BoosterRegressor",
        ),
    },
    "catboost": {
        "classifier": ("catboost.core.CatBoostClassifier", f"{_HERE}.catboost.framework.ModelClassifier"),
        "regressor": (
            *("catboost.core.CatBoostRegressor", "catboost.core.CatBoostRanker"),
            f"{_HERE}.catboost.framework.ModelRegressor",
        ),
    },
}


def _add_emitters() -> None:
    for registry, table in ((transformers, TRANSFORMERS), (predictors, PREDICTORS), (labelers, LABELERS)):
        for emitter, places in table.items():
            for place in places:
                module, *names = place.split()
                for name in names:
                    registry.add_lazy(f"sklearn.{module}.{name}", f"{_HERE}.sklearn.{emitter}", extra="lab")
    for library, kinds in _BOOSTING.items():
        extra = "lab" if library == "lightgbm" else library
        for kind, paths in kinds.items():
            for path in paths:
                predictors.add_lazy(path, f"{_HERE}.{library}.emit:{kind}", extra=extra)
                if kind == "classifier":
                    labelers.add_lazy(path, f"{_HERE}.sklearn.labels:by_share", extra=extra)


_add_emitters()
frameworks.add_lazy("sklearn", f"{_HERE}.sklearn.framework:SKLEARN", extra="lab")
frameworks.add_lazy("lightgbm", f"{_HERE}.lightgbm.framework:LIGHTGBM", extra="lab")
frameworks.add_lazy("xgboost", f"{_HERE}.xgboost.framework:XGBOOST", extra="xgboost")
frameworks.add_lazy("catboost", f"{_HERE}.catboost.framework:CATBOOST", extra="catboost")
frameworks.add_lazy("torch", f"{_HERE}.torch.network:TORCH", extra="torch")
frameworks.add_lazy("fastai", f"{_HERE}.fastai.framework:FASTAI", extra="fastai")
frameworks.add_lazy("onnx", f"{_HERE}.onnx.framework:ONNX", extra="lab")
frameworks.add_lazy("mxnet", f"{_HERE}.mxnet.framework:MXNET", extra="lab")
for _library in ("jax", "jaxlib", "flax"):
    frameworks.add_lazy(_library, f"{_HERE}.jax.framework:JAX", extra="jax")
for _library in ("tensorflow", "keras"):
    frameworks.add_lazy(_library, f"{_HERE}.tensorflow.framework:TENSORFLOW", extra="tensorflow")


def class_path(kind: type) -> str:
    """Name a class by its public place: private modules, which move between versions, are left out.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> class_path(StandardScaler)
    'sklearn.preprocessing.StandardScaler'
    """
    public: list[str] = []
    for part in kind.__module__.split("."):
        if part.startswith("_"):
            break
        public.append(part)
    return ".".join([*public, kind.__qualname__])
