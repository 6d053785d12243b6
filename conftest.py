"""What is collected here: an adapter's examples where its library is installed, its tests in its own environment."""

import os
from importlib.util import find_spec
from pathlib import Path

# Small models on a busy machine: threads of OpenMP spin while they wait for each other, up to sixteen times the work.
# What several threads do is tested where it is asked for by number.
os.environ.setdefault("OMP_NUM_THREADS", "1")

HERE = Path(__file__).parent
HEAVY = ("catboost", "fastai", "jax", "tensorflow", "torch", "xgboost")

collect_ignore = [f"src/shiplap/adapters/frameworks/{name}" for name in HEAVY if find_spec(name) is None]
if find_spec("pyspark") is None:
    collect_ignore.append("src/shiplap/adapters/frames/spark.py")
collect_ignore += [
    str(folder.relative_to(HERE))
    for folder in (HERE / "tests" / "frameworks").glob("*/")
    if folder.name != os.environ.get("SHIPLAP_ENVIRONMENT")
]
