"""The environment a run happens in: versions, machine, git commit. Nothing is imported to find out."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

__all__ = ["LIBRARIES", "environment", "git_commit", "library_versions", "machine_digest"]

LIBRARIES = (
    *("shiplap", "numpy", "onnxruntime", "msgspec", "scikit-learn", "lightgbm", "onnx", "scipy", "pandas"),
    *("pyarrow", "duckdb", "polars", "skops", "xgboost", "catboost", "torch"),
)
_GIT_SECONDS = 2.0


def environment() -> dict[str, str]:
    """Return what a result may depend on: Python, platform, machine, processor, versions of installed libraries.

    Examples
    --------
    >>> found = environment()
    >>> found["implementation"], "python" in found, "msgspec" in found
    ('CPython', True, True)
    """
    return dict(_environment())


@functools.cache
def _environment() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpu": _cpu(),
        "cpus": str(_cpus()),
        **library_versions(*LIBRARIES),
    }


def library_versions(*names: str) -> dict[str, str]:
    """Return the installed version of each library by its name on PyPI; those that are not installed are left out.

    Examples
    --------
    >>> list(library_versions("msgspec", "no-such-library"))
    ['msgspec']
    """
    found = {name: _version(name) for name in names}
    return {name: version for name, version in found.items() if version}


@functools.cache
def machine_digest() -> str:
    """Return a digest of the hardware and system that a measurement depends on, the same on equal machines."""
    parts = (platform.system(), platform.machine(), _cpu(), str(_cpus()))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def git_commit(folder: Path) -> str:
    """Return the commit that is checked out in `folder`.

    Parameters
    ----------
    folder : Path
        Any folder.

    Returns
    -------
    str
        40 hexadecimal digits, with ``+`` when tracked files were changed or that could not be told within two
        seconds; empty outside a git repository and where git is not installed.

    Examples
    --------
    >>> import tempfile
    >>> git_commit(Path(tempfile.mkdtemp()))
    ''
    """
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    if not commit:
        return ""
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return commit + ("" if changes == "" else "+")


def _git(folder: Path, *arguments: str) -> str | None:
    # The repository may belong to anybody: no lock of it is taken and no monitor it names is started.
    command = ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", *arguments]
    try:
        done = subprocess.run(  # noqa: S603
            command, cwd=folder, capture_output=True, text=True, timeout=_GIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


@functools.cache
def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


@functools.cache
def _cpu() -> str:
    if sys.platform == "linux":
        try:
            text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        except OSError:
            text = ""
        named = re.search(r"^(?:model name|Hardware|CPU part)\s*:\s*(.+)$", text, re.MULTILINE)
        return named[1].strip() if named else platform.machine()
    if sys.platform == "darwin":
        asked = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
    return platform.processor()
