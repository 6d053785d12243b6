"""A server in a process of its own: started on its core, its whole tree counted, and ended."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

SERVER_CORES, LOAD_CORES = ([0], [1]) if (os.cpu_count() or 1) > 1 else ([], [])
SPARE_CORE = (os.cpu_count() or 1) > 2
TWO_CORES = [0, 2] if SPARE_CORE else [*SERVER_CORES, *LOAD_CORES]
"""Where a server runs that may use two; without a spare core it shares the second with the load."""
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class StartError(RuntimeError):
    """A server did not come to answer; says why."""


def pin(cores: Sequence[int], pid: int = 0) -> None:
    """Keep a process on some cores, where the system can; this one if none is named."""
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(pid, cores)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


class Running:
    """A server that answers.

    Parameters
    ----------
    command : sequence of str
        What starts it.
    port : int
        Where it is to listen.
    log : Path
        What it writes.
    cores : sequence of int
        Where it may run; none for anywhere.
    environment : mapping of str to str
        Set beside those of this process.
    """

    def __init__(
        self,
        command: Sequence[str],
        port: int,
        *,
        log: Path,
        cores: Sequence[int] = tuple(SERVER_CORES),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.port = port
        self.log = log
        self.started = time.perf_counter()
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=os.environ | ONE_THREAD | dict(environment or {}),
            )
        self.pid = self.process.pid
        pin(cores, self.pid)

    def wait(self, path: str, body: bytes, *, media_type: str = "application/json", limit_s: float = 120) -> bytes:
        """Ask until the first answer of 200 is there, and return its body; `cold_s` says how long it took."""
        said = "it does not listen"
        while time.perf_counter() - self.started < limit_s:
            if self.process.poll() is not None:
                raise StartError(f"ended with {self.process.returncode}: {self.last_words()}")
            try:
                status, answer = ask(self.port, path, body, media_type=media_type)
            except (OSError, http.client.HTTPException):
                time.sleep(0.002)
                continue
            if status == 200:
                self.cold_s = time.perf_counter() - self.started
                return answer
            said = f"{status}: {answer[:300]!r}"
            time.sleep(0.02)
        raise StartError(f"no answer in {limit_s:.0f} s; {said}; {self.last_words()}")

    def tree(self) -> list[psutil.Process]:
        return tree(self.pid)

    def memory_mb(self) -> tuple[float, float]:
        """Return the proportional set size of all processes, and the part that is theirs alone."""
        found = [process.memory_full_info() for process in self.tree()]
        return sum(part.pss for part in found) / 1e6, sum(part.uss for part in found) / 1e6

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def last_words(self) -> str:
        """Return the last line it wrote that says something."""
        lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1][:200] if lines else "it wrote nothing"

    def stop(self) -> None:
        """Ask it to end; end what is left."""
        left = self.tree()
        for process in left[:1]:
            process.send_signal(signal.SIGTERM)
        _, left = psutil.wait_procs(left, timeout=5)
        for process in left:
            process.kill()
        self.process.wait()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def tree(pid: int) -> list[psutil.Process]:
    """Return a process and all it started, itself first."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def cpu_s(processes: Sequence[psutil.Process]) -> float:
    """Return what processes have used so far, with children that are gone."""
    used = 0.0
    for process in processes:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        used += times.user + times.system + times.children_user + times.children_system
    return used


def kept_waiting_s(processes: Sequence[psutil.Process]) -> float:
    """Return how long threads of processes were ready to run while others had the core; 0 where it is not told.

    References
    ----------
    https://docs.kernel.org/scheduler/sched-stats.html
    """
    waited = 0.0
    for process in processes:
        for told in Path(f"/proc/{process.pid}/task").glob("*/schedstat"):
            with suppress(OSError):
                waited += int(told.read_text().split()[1]) / 1e9
    return waited


def ask(
    port: int, path: str, body: bytes, *, media_type: str = "application/json", timeout_s: float = 30
) -> tuple[int, bytes]:
    """Send one request on a connection of its own."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        client.request("POST", path, body, {"Content-Type": media_type})
        answer = client.getresponse()
        return answer.status, answer.read()
    finally:
        client.close()
