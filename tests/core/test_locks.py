from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shiplap.core.errors import StoreError
from shiplap.core.locks import FileLock, is_held


@pytest.mark.parametrize("lasting", [True, False])
def test_one_holder_at_a_time(tmp_path: Path, lasting: bool) -> None:
    path, inside, most = tmp_path / "lock", [0], [0]

    def work() -> None:
        for _ in range(20):
            with FileLock(path, lasting=lasting):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0.0005)
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert path.exists() == lasting


def test_the_one_who_waits_is_told_once(tmp_path: Path) -> None:
    told: list[str] = []
    lock, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    lock.acquire(waiting=lambda: told.append("first"))
    thread = threading.Thread(target=other.acquire, kwargs={"waiting": lambda: told.append("second")})
    thread.start()
    while not told:
        time.sleep(0.001)
    lock.release()
    thread.join()
    assert told == ["second"]
    assert other.held
    other.release()


def test_asking_takes_the_lock_from_nobody(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_held(path)
    assert not path.exists()
    path.touch()
    assert not is_held(path)
    with FileLock(path):
        assert is_held(path)
        assert is_held(path)


def test_those_who_ask_at_one_time_do_not_take_each_other_for_a_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(is_held, [path] * 4000))


def test_a_forgotten_lock_is_free(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    lock.acquire()
    del lock
    assert not is_held(tmp_path / "lock")


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"cannot lock '.*absent.*': No such file"):
        FileLock(tmp_path / "absent" / "lock").acquire()


def test_no_file_is_left_open(tmp_path: Path) -> None:
    before = os.open(tmp_path, os.O_RDONLY)
    os.close(before)
    for _ in range(50):
        with FileLock(tmp_path / "lock"):
            pass
    after = os.open(tmp_path, os.O_RDONLY)
    os.close(after)
    assert after == before
