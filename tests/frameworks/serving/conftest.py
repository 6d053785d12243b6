"""A server in a process of its own, and what the clients of others warn of."""

import importlib
import select
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

import shiplap as sl
from shiplap.scoring import Scorer, load

with warnings.catch_warnings():  # their own, the first time they are imported
    warnings.simplefilter("ignore")
    for name in ("kserve", "sagemaker.core.deserializers.base", "sagemaker.core.serializers.base", "tritonclient.http"):
        importlib.import_module(name)

START = """
import sys
from shiplap.engineer.deploy.serve import serve
serve(sys.argv[1:], port=0, ready=lambda url: print(url, flush=True))
"""


def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("ignore::DeprecationWarning"))
        item.add_marker(pytest.mark.filterwarnings("ignore::FutureWarning"))
        item.add_marker(pytest.mark.filterwarnings("ignore::UserWarning"))


@pytest.fixture(scope="session")
def rows() -> pd.DataFrame:
    generator = np.random.default_rng(0)
    plans = generator.choice(["basic", "plus", "naïve"], 120)
    return pd.DataFrame({"age": generator.normal(40, 9, 120), "n": generator.integers(0, 9, 120), "plan": plans})


@pytest.fixture(scope="session")
def model(rows):
    encode = make_column_transformer((OneHotEncoder(), ["plan"]), remainder="passthrough")
    return make_pipeline(encode, LogisticRegression(max_iter=2_000)).fit(
        rows, np.where(rows["age"] + 3 * rows["n"] > 52, "yes", "no")
    )


@pytest.fixture(scope="session")
def ship(tmp_path_factory, model, rows) -> Path:
    path = tmp_path_factory.mktemp("ships") / "churn.ship"
    sl.pack(model, rows, path=path)
    return path


@pytest.fixture(scope="session")
def scorer(ship) -> Scorer:
    return load(ship)


@contextmanager
def serving(*ships: Path) -> Iterator[str]:
    """The address of a server; it must not have written a word to standard error at the end."""
    command = [sys.executable, "-c", START, *map(str, ships)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], 60)[0], "the server did not start"
        yield process.stdout.readline().strip()
        process.terminate()
        assert process.communicate(timeout=20)[1] == ""
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def start() -> Callable[..., AbstractContextManager[str]]:
    return serving


@pytest.fixture(scope="session")
def address(ship) -> Iterator[str]:
    with serving(ship) as address:
        yield address
