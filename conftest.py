"""What is collected here: an adapter's examples where its library is installed, its tests in its own environment."""

import os
from importlib.util import find_spec
from pathlib import Path

# Small models on a busy machine: threads of OpenMP spin while they wait for each other, up to sixteen times the work.
# What several threads do is tested where it is asked for by number.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Property tests draw the same examples everywhere, so that a green commit stays green; HYPOTHESIS_PROFILE=search draws
# new ones. What a test costs depends on who else uses the machine; how long it may take is nothing that it proves.
if find_spec("hypothesis"):
    from hypothesis import HealthCheck, settings

    settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.register_profile("same", settings.get_profile("search"), derandomize=True, database=None)
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

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
