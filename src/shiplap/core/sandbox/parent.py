"""The trusting side: start a confined child, wait for it, take one file from it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import shiplap
from shiplap.core.errors import InputError, UntrustedError
from shiplap.core.sandbox.confine import STANDARD, Limits, unsupported

__all__ = ["run_confined"]

_SYSTEM = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/dev/urandom", "/dev/random")
_MACHINE = ("/sys/devices/system/cpu", "/proc/cpuinfo", "/proc/meminfo", "/proc/self", "/proc/sys/vm")
_LOOK_SECONDS = 0.2
_KEPT = ("LANG", "LC_ALL", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def run_confined(function: str, files: Mapping[str, bytes | Path], *, limits: Limits = STANDARD) -> bytes:
    """Call a function in a child process that reaches no network, starts nothing and writes nothing outside.

    Parameters
    ----------
    function : str
        ``module:function``, called with the path of the folder that holds the files; returns bytes.
    files : mapping of str to bytes or Path
        What it finds in its folder, by plain file name.
    limits : Limits
        Time, memory, size.

    Returns
    -------
    bytes
        What the function returned. Whoever takes it must doubt it: the child may have been taken over.

    Raises
    ------
    UntrustedError
        A process cannot be confined on this machine.
    InputError
        The function failed, used more than it may, or gave nothing that can be read.

    """
    reason = unsupported()
    if reason:
        raise UntrustedError(
            f"a pickle is read in a sandbox only, and there can be none: {reason}",
            hint="pack it on Linux 5.13 or later, or store it with skops.io.dump",
        )
    with tempfile.TemporaryDirectory(prefix="shiplap-sandbox-") as name:
        folder = Path(name).resolve()
        for file, content in files.items():
            (folder / file).write_bytes(content.read_bytes() if isinstance(content, Path) else content)
        order = {"function": function, "folder": str(folder), "readable": _readable(), "limits": asdict(limits)}
        try:
            code, said = _started(order, folder, limits)
            return _taken(folder, code, said, limits)
        finally:
            _clear(folder)


def _started(order: Mapping[str, object], folder: Path, limits: Limits) -> tuple[int, str]:
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= {"HOME": str(folder), "TMPDIR": str(folder), "PATH": "/usr/bin:/bin", "MPLCONFIGDIR": str(folder)}
    with tempfile.TemporaryFile() as said:  # a file, whose size is limited, and no pipe, which would fill our memory
        process = subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", "-m", "shiplap.core.sandbox.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
            cwd=folder,
            env=environment,
            start_new_session=True,
        )
        with process:
            try:
                _wait(process, json.dumps(order).encode(), folder, limits)
            finally:
                process.kill()
        said.seek(max(0, said.seek(0, os.SEEK_END) - 2_000))
        return process.returncode, said.read(2_000).decode(errors="replace")


def _wait(process: subprocess.Popen[bytes], order: bytes, folder: Path, limits: Limits) -> None:
    """Wait for its end; it is ended before time or disk run out, whatever it writes and wherever it hides it."""
    end, reserve = time.monotonic() + limits.seconds, shutil.disk_usage(folder).free // 2
    while True:
        try:
            process.communicate(order, timeout=_LOOK_SECONDS)
        except subprocess.TimeoutExpired as error:
            if time.monotonic() > end:
                raise InputError(
                    f"the sandbox ended it after {limits.seconds} s", hint="raise the limit of time"
                ) from error
            if shutil.disk_usage(folder).free < reserve:
                raise InputError("the sandbox ended it: it filled half of the disk that was left") from error
            order = b""  # all of it is on its way
        else:
            return


def _clear(folder: Path) -> None:
    """Empty a folder that a stranger filled, however deep: what lies below is moved up, one level at a time."""
    while found := list(folder.iterdir()):
        for path in found:
            if path.is_symlink() or not path.is_dir():
                path.unlink()
                continue
            for inner in list(_opened(path).iterdir()):
                _opened(inner).rename(folder / secrets.token_hex(16))
            path.rmdir()


def _opened(path: Path) -> Path:
    if path.is_dir() and not path.is_symlink():
        path.chmod(0o700)
    return path


def _readable() -> list[str]:
    """Return what a Python with these libraries reads: itself, the libraries, the system's, what the machine is."""
    python = {sys.prefix, sys.base_prefix, sys.exec_prefix, str(Path(shiplap.__file__).parents[1])}
    return sorted({*python, *(str(Path(entry).resolve()) for entry in python), *_SYSTEM, *_MACHINE})


def _taken(folder: Path, code: int, said: str, limits: Limits) -> bytes:
    if code == 0:
        return _content(folder / "result", limits.output_mb << 20)
    if code == 3:
        message, hint = _error(folder / "error")
        raise InputError(f"in the sandbox: {message}", hint=hint)
    lines = said.strip().splitlines()
    last = f"it crashed, by signal {-code}" if code < 0 else _plain(lines[-1]) if lines else f"exit code {code}"
    raise InputError(
        f"the sandbox ended it: {last}", hint=f"it may use {limits.memory_mb:,} MB and {limits.seconds} s, no network"
    )


def _error(path: Path) -> tuple[str, str]:
    try:
        message, hint = json.loads(_content(path, 1 << 16))
        return _plain(str(message)), _plain(str(hint))
    except ValueError:
        return "it failed, and did not say how", ""


def _content(path: Path, most: int) -> bytes:
    """Read a file that a stranger wrote: no link is followed, nothing but a plain file is read."""
    try:
        place = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise InputError("the sandbox gave no result") from None
    with os.fdopen(place, "rb") as file:
        known = os.fstat(place)
        if not stat.S_ISREG(known.st_mode) or known.st_size > most:
            raise InputError("the sandbox gave no result that can be read")
        return file.read(most)


def _plain(text: str) -> str:
    """Return a stranger's text in one printable line: a terminal obeys what it is sent."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:500]
