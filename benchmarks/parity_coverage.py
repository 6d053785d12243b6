"""How many of scikit-learn's estimators are converted, and how many of these answer as the original.

The list, the models and the rows are those of the contract test, ``test_every_estimator.py``; what Shiplap makes of
them is what ``docs/coverage.md`` says, which is written from this test.
"""

from __future__ import annotations

import importlib.util
import re
import warnings
from collections import Counter
from typing import Any

import numpy as np
from parity_peers import ROOT, WRONG, answers_of_peers, apart

CONTRACT = ROOT / "tests" / "adapters" / "frameworks" / "sklearn" / "test_every_estimator.py"
PAGE = ROOT / "docs" / "coverage.md"
LIMIT_S = 60


def contract() -> Any:
    """Load the contract test as a module."""
    spec = importlib.util.spec_from_file_location("contract", CONTRACT)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{CONTRACT} is not there")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Fit every estimator, convert it, compare."""
    warnings.simplefilter("ignore")
    known = contract()
    fitted = {name: known.fitted(name) for name in dict.fromkeys(name for name, _ in known.CASES)}
    theirs = answers_of_peers({name: _sent(case) for name, case in fitted.items()}, limit_s=LIMIT_S)
    outcomes = {name: outcome(theirs[name], *case, known.METHODS) for name, case in fitted.items()}
    counts = Counter(outcomes.values())
    print(f"\nscikit-learn's {len(fitted)} estimators that answer on new rows, {LIMIT_S} s each at most")
    print("  converters   " + ", ".join(f"{counts[kind]} {kind}" for kind in ("agree", "disagree", "fail")))
    print(f"  disagree: {', '.join(sorted(name for name, kind in outcomes.items() if kind == 'disagree'))}")
    late = sorted(name for name in fitted if "late" in theirs[name])
    print(f"  too late: {', '.join(late) or 'none'}")
    print("  Shiplap      " + ours(set(fitted)))
    print("\nShiplap, every framework: kinds of models and operators that are proven / refused with the reason")
    for framework, proven, refused in re.findall(
        r"^\| \[(.+?)\]\(#.+?\) \| (\d+) \| (\d+) \|$", PAGE.read_text(), re.M
    ):
        print(f"  {framework:52} {proven:>4} / {refused}")


def _sent(case: tuple[Any, Any]) -> tuple[Any, Any]:
    model, rows = case
    return model, rows.astype(np.float64) if isinstance(rows, np.ndarray) else rows


def outcome(answer: dict[str, Any], model: Any, rows: Any, methods: tuple[str, ...]) -> str:
    """Say how one estimator fared: it agrees where what it gives is what any method of the original gives.

    The original reads what a float32 can hold, so that the input is the same.
    """
    if "failed" in answer:
        return "fail"
    narrow = rows.astype(np.float32).astype(np.float64) if isinstance(rows, np.ndarray) else rows
    expected = [_dense(getattr(model, method)(narrow)) for method in methods if hasattr(model, method)]
    agrees = any((apart(answer["outputs"], values) <= WRONG).all() for values in expected)
    return "agree" if agrees else "disagree"


def _dense(values: Any) -> np.ndarray:
    if isinstance(values, list):
        return np.hstack(values)
    return np.asarray(values.toarray() if hasattr(values, "toarray") else values)


def ours(names: set[str]) -> str:
    """Count what ``docs/coverage.md`` says of these estimators; the tests fail where it says what they do not find."""
    outcomes: dict[str, set[str]] = {}
    page = PAGE.read_text() if PAGE.exists() else ""
    for line in page.partition('<a id="sklearn"></a>')[2].partition("<a id=")[0].splitlines():
        name, _, outcome, *_ = [*(cell.strip() for cell in line.strip("|").split("|")), "", ""]
        outcomes.setdefault(name, set()).add(outcome)
    if not names <= outcomes.keys():
        return f"{PAGE.relative_to(ROOT)} lacks {len(names - outcomes.keys())} of them: run make coverage first"
    proven = sum("proven" in outcomes[name] for name in names)
    return f"{proven} proven, {len(names) - proven} refused with the reason"
