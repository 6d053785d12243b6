"""Write docs/coverage.md from what the tests of all frameworks recorded in build/coverage.

make test; make coverage
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "coverage.md"
TITLES = {
    "sklearn": "scikit-learn",
    "lightgbm": "LightGBM",
    "xgboost": "XGBoost",
    "catboost": "CatBoost",
    "torch": "PyTorch and Lightning",
    "fastai": "fastai",
    "tensorflow": "TensorFlow and Keras",
    "jax": "JAX and Flax",
    "onnx": "ONNX files",
    "mxnet": "MXNet, read from its files (by operator and model)",
    "mlflow": "MLflow model folders",
}
HEAD = """# What can be packed

Every estimator of scikit-learn, and every kind of model of the other frameworks, with what came of packing
it. **Proven**: the certificate holds, on rows of the data, on rows that stand on every threshold and on rows built to
break it; the number is the largest difference, relative to the spread of the answers. **Refused**: `pack` says why and
writes nothing. `make coverage` writes this page from what the tests recorded, and they fail where it says otherwise.

"""


def main() -> None:
    """Write the page."""
    records = {name: read(name) for name in TITLES}
    known = {name: rows for name, rows in records.items() if rows}
    lines = ["| framework | proven | refused |", "|---|---|---|"]
    for name, rows in known.items():
        counts = Counter(outcome_of(entries) for entries in rows.values())
        lines.append(f"| [{TITLES[name]}](#{name}) | {counts['proven']} | {counts['refused']} |")
    parts = [HEAD + "\n".join(lines) + "\n"]
    parts += [section(name, rows) for name, rows in known.items()]
    PAGE.write_text("\n".join(parts))


def read(name: str) -> dict[str, list[dict[str, Any]]]:
    """Return the records of a framework by what was packed."""
    path = ROOT / "build" / "coverage" / f"{name}.json"
    found: dict[str, list[dict[str, Any]]] = {}
    for record in json.loads(path.read_text()) if path.exists() else []:
        found.setdefault(record["name"], []).append(record)
    return found


def outcome_of(entries: list[dict[str, Any]]) -> str:
    """Return ``proven`` where any of an estimator's answers is."""
    return "proven" if any(entry["outcome"] == "proven" for entry in entries) else "refused"


def section(name: str, rows: dict[str, list[dict[str, Any]]]) -> str:
    """Return the table of one framework."""
    lines = [f'<a id="{name}"></a>', f"## {TITLES[name]}", "", "| what | answer | outcome | |", "|---|---|---|---|"]
    for what in sorted(rows, key=str.casefold):
        lines += [f"| {what} | {entry['method']} | {entry['outcome']} | {told(entry)} |" for entry in rows[what]]
    return "\n".join([*lines, ""])


def told(entry: dict[str, Any]) -> str:
    """Say how far the answers lie apart, or why it is refused."""
    if entry["outcome"] == "refused":
        return str(entry["reason"]).replace("|", "\\|").replace("\n", " ")
    difference = entry["difference"]
    return "" if difference is None else "exact" if difference == 0 else f"{difference:.0e}"


if __name__ == "__main__":
    main()
