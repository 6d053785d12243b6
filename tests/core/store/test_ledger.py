from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from shiplap.core.errors import StoreError
from shiplap.core.store.ledger import Ledger

INSERT = "INSERT INTO files VALUES (?, ?, ?)"


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path)
    yield opened
    opened.close()


def count(ledger: Ledger) -> int:
    return ledger.read("SELECT count(*) FROM files")[0][0]


def test_it_is_durable_by_its_settings(ledger: Ledger) -> None:
    assert ledger.read("PRAGMA journal_mode") == [("wal",)]
    assert ledger.read("PRAGMA synchronous") == [(2,)]
    assert ledger.read("PRAGMA foreign_keys") == [(1,)]


def test_a_transaction_that_fails_leaves_nothing(ledger: Ledger) -> None:
    def fail() -> None:
        with ledger.writing() as db:
            db.execute(INSERT, (b"a", "1", "ab"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert count(ledger) == 0
    ledger.append(INSERT, [(b"a", "1", "ab")])
    assert count(ledger) == 1


def test_rows_are_all_written_or_none(ledger: Ledger) -> None:
    with pytest.raises(StoreError, match="UNIQUE"):
        ledger.append(INSERT, [(b"a", "1", "ab"), (b"a", "1", "ab")])
    assert count(ledger) == 0
    ledger.append(INSERT, [(b"a", "1", "ab")])


def test_what_threads_append_meanwhile_is_one_commit(ledger: Ledger) -> None:
    commits: list[str] = []
    ledger._connection().set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    rows = [(f"file-{number}".encode(), "1", "ab") for number in range(40)]
    threads = [threading.Thread(target=ledger.append, args=(INSERT, [row])) for row in rows]
    with ledger._guard:
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join()
    assert count(ledger) == 40
    assert len(commits) < 10
    assert ledger._queue == []


def test_it_can_be_used_after_it_was_closed(ledger: Ledger) -> None:
    ledger.append(INSERT, [(b"a", "1", "ab")])
    ledger.close()
    ledger.close()
    assert count(ledger) == 1


def test_an_unknown_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    Ledger(tmp_path).close()
    db = sqlite3.connect(tmp_path / "ledger.db")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match=r"version 99; this Shiplap knows version 1 .install"):
        Ledger(tmp_path)


def test_another_program_s_database_is_refused(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "ledger.db")
    db.execute("CREATE TABLE theirs (x)")
    db.close()
    with pytest.raises(StoreError, match="not a ledger of Shiplap"):
        Ledger(tmp_path)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match=r"not a database .move it away"):
        Ledger(tmp_path)


def test_a_half_made_ledger_is_made_whole(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").touch()
    ledger = Ledger(tmp_path)
    assert count(ledger) == 0
    ledger.close()
