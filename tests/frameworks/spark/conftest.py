"""Spark on two cores of this machine; its clock runs in New York, so that a moment taken for UTC shows."""

import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "adapters" / "frames"))

SETTINGS = {
    "spark.driver.memory": "2g",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "4",
    "spark.sql.session.timeZone": "America/New_York",
}


@pytest.fixture(scope="session")
def spark() -> Iterator[object]:
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("no Java here (scripts/components.sh)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the imports of pyspark
        from pyspark.sql import SparkSession  # noqa: PLC0415
    builder = SparkSession.builder.master("local[2]").appName("shiplap tests")
    folder = tempfile.mkdtemp(prefix="spark-")
    for name, value in {**SETTINGS, "spark.local.dir": folder, "spark.sql.warehouse.dir": folder}.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()
    shutil.rmtree(folder, ignore_errors=True)
