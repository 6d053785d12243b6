"""Threads that stand back: single rows and health checks come first."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

__all__ = ["background", "stand_back"]

_NICE = 5


def background(name: str) -> ThreadPoolExecutor:
    """Return one thread, which gets the processor after the loop where the system knows priorities of threads.

    Parameters
    ----------
    name : str
        What the thread is called.
    """
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix=name, initializer=stand_back)


def stand_back() -> None:
    """Let the loop go before the thread that calls this."""
    if sys.platform == "linux":  # elsewhere a priority is that of the whole process
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
