from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shiplap.core.store import Store, open_store

Start = Callable[..., "subprocess.Popen[str]"]

HEAD = r"""
import os, signal, sys, time
from pathlib import Path
from shiplap.core.progress import listening
from shiplap.core.store import Step, open_store

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\n").encode())  # in one piece, among forked processes too

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would ignore it
store = open_store(Path(sys.argv[1]))
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as opened:
        yield opened


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a Python process on the store in `tmp_path`; what is left of them is killed at the end."""
    started: list[subprocess.Popen[str]] = []

    def begin(code: str, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", HEAD + textwrap.dedent(code), str(tmp_path), *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()
