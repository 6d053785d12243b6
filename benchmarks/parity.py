"""Shiplap against the usual converters, on the same models and rows in one run.

    .venv/bin/python benchmarks/parity.py [thresholds] [texts] [coverage]

`thresholds`: labels that flip on random rows, and on rows whose columns stand on the model's own thresholds and one ulp
to either side. `texts`: rows that get a wrong answer where a model reads texts or categories with gaps. `coverage`:
how many of scikit-learn's estimators are converted, and how many of these answer as the original. skl2onnx and
onnxmltools are installed into ``build/parity-peers``.
"""

from __future__ import annotations

import importlib.metadata
import sys

import parity_coverage
import parity_texts
import parity_thresholds
from parity_peers import peer_versions

SECTIONS = {
    "thresholds": parity_thresholds.main,
    "texts": parity_texts.main,
    "coverage": parity_coverage.main,
}


def main() -> None:
    """Run the sections that were asked for, or all of them."""
    ours = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("shiplap", "lightgbm", "scikit-learn"))
    print(f"{ours}; the converters: {peer_versions()}")
    for name in sys.argv[1:] or SECTIONS:
        SECTIONS[name]()


if __name__ == "__main__":
    sys.exit(main())
