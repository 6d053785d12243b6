"""A PostgreSQL server of the tests' own, and the contract that every frame keeps."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from postgresql_server import Server, serving


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    with serving() as server:
        if server is None:
            pytest.skip("no PostgreSQL server here (scripts/components.sh)")
        yield server
