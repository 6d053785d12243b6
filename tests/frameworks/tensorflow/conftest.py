"""Silences what TensorFlow and its converter warn of themselves, and keeps their logs out of the tests."""

import os
import sys
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"
sys.path.insert(0, str(Path(__file__).parent))

THEIRS = (
    "ignore:In the future `np.object`:FutureWarning",
    "ignore::DeprecationWarning:tensorflow",
    "ignore::DeprecationWarning:keras",
    "ignore::DeprecationWarning:tf2onnx",
    "ignore::DeprecationWarning:astunparse",
)


def pytest_configure(config: Any) -> None:
    for ignored in THEIRS:
        config.addinivalue_line("filterwarnings", ignored)
