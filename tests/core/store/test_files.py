from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from shiplap.core.errors import InputError
from shiplap.core.store import Store, digest_of_bytes


def settle(path: Path, age: float = 10.0) -> None:
    os.utime(path, (time.time() - age,) * 2)


def remembered(store: Store) -> int:
    return store._ledger.read("SELECT count(*) FROM files")[0][0]


def test_an_unchanged_file_is_not_read_again(store: Store, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_bytes(b"a\n1\n")
    settle(rows)
    assert store.digest_file(rows) == digest_of_bytes(b"a\n1\n")
    with store._ledger.writing() as db:  # only a cache that is used can lie
        db.execute("UPDATE files SET digest = 'remembered'")
    assert store.digest_file(rows) == "remembered"
    assert store.digest_file(tmp_path / "." / "rows.csv") == "remembered"


def test_a_changed_file_is_read_again_even_with_its_old_size_and_time(store: Store, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_bytes(b"a\n1\n")
    settle(rows)
    store.digest_file(rows)
    before = rows.stat()
    rows.write_bytes(b"a\n2\n")
    os.utime(rows, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert store.digest_file(rows) == digest_of_bytes(b"a\n2\n")


def test_a_file_replaced_by_a_rename_is_read_again(store: Store, tmp_path: Path) -> None:
    rows, other = tmp_path / "rows.csv", tmp_path / "other.csv"
    rows.write_bytes(b"a\n1\n")
    other.write_bytes(b"a\n2\n")
    settle(rows)
    settle(other)
    store.digest_file(rows)
    other.replace(rows)
    assert store.digest_file(rows) == digest_of_bytes(b"a\n2\n")


def test_a_file_just_written_is_not_remembered_yet(store: Store, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_bytes(b"a\n1\n")
    store.digest_file(rows)
    assert remembered(store) == 0
    settle(rows)
    store.digest_file(rows)
    assert remembered(store) == 1


@pytest.mark.skipif(os.name != "posix", reason="names are text elsewhere")
def test_a_name_that_is_not_text_is_remembered_too(store: Store, tmp_path: Path) -> None:
    rows = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.csv"))
    rows.write_bytes(b"a\n1\n")
    settle(rows)
    store.digest_file(rows)
    assert remembered(store) == 1


def test_a_file_that_is_not_there_is_named(store: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read '.*absent.csv': No such file"):
        store.digest_file(tmp_path / "absent.csv")
    with pytest.raises(InputError, match="cannot read"):
        store.digest_file(tmp_path)
