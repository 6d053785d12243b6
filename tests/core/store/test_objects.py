from __future__ import annotations

import os
import stat
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiplap.core.errors import InputError, StoreError
from shiplap.core.store import digest_of_bytes
from shiplap.core.store.objects import Objects


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Objects:
    return Objects(tmp_path_factory.mktemp("project") / "objects")


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=2000))
def test_what_was_put_comes_back(objects: Objects, data: bytes) -> None:
    digest = objects.put(data)
    assert digest == digest_of_bytes(data)
    assert digest in objects
    assert objects.get(digest) == data
    assert objects.put(data) == digest


def test_a_file_is_copied_in_pieces_and_left_alone(objects: Objects, tmp_path: Path) -> None:
    data = os.urandom(3 << 20)
    (tmp_path / "rows.bin").write_bytes(data)
    digest = objects.put_file(tmp_path / "rows.bin")
    assert digest == digest_of_bytes(data)
    assert objects.get(digest) == data
    assert (tmp_path / "rows.bin").read_bytes() == data


def test_nothing_but_whole_objects_is_left_lying(objects: Objects, tmp_path: Path) -> None:
    objects.put(b"one")
    with pytest.raises(InputError, match=r"cannot read '.*absent'"):
        objects.put_file(tmp_path / "absent")
    assert not list(objects.folder.glob("writing-*"))


@pytest.mark.parametrize("damage", [b"", b"oNe", b"one and more"])
def test_a_damaged_object_is_found_removed_and_can_be_written_again(objects: Objects, damage: bytes) -> None:
    digest = objects.put(b"one")
    place = objects.place(digest)
    place.chmod(0o644)
    place.write_bytes(damage)
    with pytest.raises(StoreError, match=f"object {digest[:12]} .* was damaged .* is removed .run the step"):
        objects.get(digest)
    assert digest not in objects
    assert objects.get(objects.put(b"one")) == b"one"


@pytest.mark.parametrize("damage", [b"", b"who", b"whale", b"whole and more"])
def test_a_damaged_object_is_replaced_by_the_next_put(objects: Objects, damage: bytes) -> None:
    place = objects.place(objects.put(b"whole"))
    place.chmod(0o644)
    place.write_bytes(damage)
    assert objects.get(objects.put(b"whole")) == b"whole"


def test_objects_cannot_be_edited_by_accident(objects: Objects) -> None:
    assert stat.S_IMODE(objects.place(objects.put(b"sealed")).stat().st_mode) == 0o444


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "AB" * 32, "ab" * 31, "ab" * 32 + "\n"])
def test_only_digests_are_looked_up(objects: Objects, digest: str) -> None:
    with pytest.raises(StoreError, match="64 hexadecimal digits"):
        objects.get(digest)


def test_an_absent_object_is_named(objects: Objects) -> None:
    with pytest.raises(StoreError, match="has no object abababababab"):
        objects.get("ab" * 32)


def test_what_a_killed_writer_left_is_swept_after_a_day(objects: Objects) -> None:
    old, new = objects.folder / "writing-old", objects.folder / "writing-new"
    old.write_bytes(b"half")
    new.write_bytes(b"half")
    os.utime(old, (time.time() - 90_000,) * 2)
    Objects(objects.folder)
    assert not old.exists()
    assert new.exists()
    new.unlink()
