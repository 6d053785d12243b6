from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from shiplap.core.progress import listening, tell


def test_whoever_listens_hears_what_is_told_inside() -> None:
    outer: list[tuple[str, float | None]] = []
    inner: list[tuple[str, float | None]] = []
    tell("before")
    with listening(lambda text, done: outer.append((text, done))):
        tell("one")
        with listening(lambda text, done: inner.append((text, done))):
            tell("two", 0.5)
        tell("three")
    tell("after")
    assert outer == [("one", None), ("three", None)]
    assert inner == [("two", 0.5)]


def test_listening_ends_when_the_work_fails() -> None:
    heard: list[str] = []
    with pytest.raises(ValueError, match="broken"), listening(lambda text, done: heard.append(text)):
        raise ValueError("broken")
    tell("after")
    assert heard == []


def test_other_threads_are_not_overheard() -> None:
    heard: list[str] = []
    with listening(lambda text, done: heard.append(text)), ThreadPoolExecutor(1) as pool:
        pool.submit(tell, "elsewhere").result()
    assert heard == []
