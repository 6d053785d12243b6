"""Runs JAX on the processor, and lets the tests of this folder import the networks that they share."""

import os
import sys
from pathlib import Path

os.environ["JAX_PLATFORMS"] = "cpu"
sys.path.insert(0, str(Path(__file__).parent))
