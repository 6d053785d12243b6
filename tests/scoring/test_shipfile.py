"""Ship files: what goes in comes out, and whatever is wrong with one is said in a line."""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shiplap.core.encoding import Boolean, Category, Date, Encoding, Number, Text
from shiplap.core.errors import InputError, ShipError
from shiplap.core.policy import Policy
from shiplap.core.ship import SEALED, Ship
from shiplap.core.signature import Field, Signature
from shiplap.scoring import attach, read_ship
from shiplap.scoring.container import pack_members, unpack_members

Make = Callable[..., Ship]


def content(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def rewrite(path: Path, members: dict[str, bytes], *, reseal: bool = False, **changes: Any) -> Path:
    """Write members in the form of a ship file, with fresh digests where a skilled forger would make them."""
    if reseal or changes:
        manifest = json.loads(members["manifest.json"])
        parts = {name: hashlib.sha256(body).hexdigest() for name, body in members.items() if name != "manifest.json"}
        sealed = {name: parts[name] for name in sorted(SEALED) if name in parts}
        text = json.dumps(sealed, separators=(",", ":"))
        manifest |= {"parts": parts, "id": hashlib.sha256(text.encode()).hexdigest()} | changes
        members = {**members, "manifest.json": json.dumps(manifest).encode()}
    path.write_bytes(b"".join(pack_members(members)))
    return path


def test_a_ship_comes_back_as_it_was_written(make_ship: Make) -> None:
    made = make_ship()
    read = read_ship(made.path)
    assert (read.manifest, read.encoding, read.graph, read.policy) == (
        made.manifest,
        made.encoding,
        made.graph,
        made.policy,
    )
    assert read.evidence == {"card.md": b"# small"}
    assert read.manifest.lineage == {"table": "0" * 64}


def test_the_file_is_an_ordinary_zip_with_stored_members_in_order(make_ship: Make) -> None:
    with zipfile.ZipFile(make_ship(evidence={"z.json": b"1", "a.json": b"2"}).path) as file:
        assert file.testzip() is None
        assert file.namelist() == ["manifest.json", *SEALED, "evidence/a.json", "evidence/z.json"]
        assert {info.compress_type for info in file.infolist()} == {zipfile.ZIP_STORED}
        assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_same_parts_give_the_same_bytes_and_id(make_ship: Make) -> None:
    first, second = make_ship("a.ship"), make_ship("b.ship")
    assert first.path.read_bytes() == second.path.read_bytes()
    digests = {name: hashlib.sha256(body).hexdigest() for name, body in content(first.path).items() if name in SEALED}
    text = json.dumps(digests, sort_keys=True, separators=(",", ":"))
    assert first.id == hashlib.sha256(text.encode()).hexdigest()


def test_attaching_changes_the_evidence_and_not_the_id(make_ship: Make) -> None:
    made = make_ship()
    after = attach(made.path, {"bench-here.json": b"{}", "card.md": b"# new"})
    assert after.evidence == {"bench-here.json": b"{}", "card.md": b"# new"}
    assert read_ship(made.path).evidence == after.evidence
    assert after.id == made.id
    assert [path.name for path in made.path.parent.iterdir()] == ["small.ship"]


@pytest.mark.parametrize("name", ["../x", "/x", ".x", "a/../b", "a b", "a\\b", "", "a//b", "é", "a/b/c/d/e", "x" * 101])
def test_an_attachment_cannot_leave_the_evidence(make_ship: Make, name: str) -> None:
    made = make_ship()
    with pytest.raises(ShipError, match="no attachment can be called"):
        attach(made.path, {name: b""})


def test_many_can_attach_at_once(make_ship: Make) -> None:
    made = make_ship()
    program = "import sys; from shiplap.scoring import attach; attach(sys.argv[1], {sys.argv[2]: b'p'})"
    others = [subprocess.Popen([sys.executable, "-c", program, made.path, f"process-{i}"]) for i in range(2)]
    threads = [threading.Thread(target=attach, args=(made.path, {f"thread-{i}": b"t"})) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait() for process in others] == [0, 0]
    expected = {"card.md", *(f"thread-{i}" for i in range(8)), "process-0", "process-1"}
    assert set(read_ship(made.path).evidence) == expected


def test_nothing_is_written_where_it_cannot_be(make_ship: Make, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        make_ship("absent/small.ship")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        make_ship("folder")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def zipped(path: Path, *, name: str = "x", method: int = zipfile.ZIP_STORED, mode: int = 0o100644) -> None:
    """Write a zip file with a manifest and one hostile member."""
    with zipfile.ZipFile(path, "w", method) as file:
        file.writestr("manifest.json", "{}")
        info = zipfile.ZipInfo(name)
        info.external_attr, info.compress_type = mode << 16, method
        file.writestr(info, "0" * 1_000_000)


FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "no ship file at"),
    "empty": (lambda path: path.write_bytes(b""), "it is not a zip"),
    "a text": (lambda path: path.write_text("age,paid\n1,2\n"), "it is not a zip"),
    "an empty zip": (lambda path: path.write_bytes(b"".join(pack_members({}))), "its first member is no manifest"),
    "another zip": (lambda path: path.write_bytes(b"".join(pack_members({"a": b""}))), "first member is no manifest"),
    "half of one": (lambda path: path.write_bytes(path.read_bytes()[:1000]), "is truncated"),
    "bytes after it": (lambda path: path.write_bytes(path.read_bytes() + b"x"), "is truncated, or has bytes after"),
    "bytes before it": (lambda path: path.write_bytes(b"PK\x03\x04" + path.read_bytes()), "is damaged|was altered"),
    "a bomb": (lambda path: zipped(path, method=zipfile.ZIP_DEFLATED), "holds a compressed or encrypted member"),
    "a link": (lambda path: zipped(path, mode=0o120777), "holds a link: 'x'"),
    "an absolute path": (lambda path: zipped(path, name="/etc/passwd"), "a path that escapes: '/etc/passwd'"),
    "a path upwards": (lambda path: zipped(path, name="evidence/../../x"), "escapes: 'evidence/../../x'"),
    "a path of Windows": (lambda path: zipped(path, name="C:\\x"), r"a path that escapes: 'C:\\\\x'"),
    "a backslash": (lambda path: zipped(path, name="evidence\\..\\x"), "a path that escapes"),
    "a path of control signs": (lambda path: zipped(path, name="a\nb"), "a path that escapes"),
    "zip's own form": (lambda path: zipped(path, name="encode.json"), "was altered"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_no_sound_ship(make_ship: Make, name: str) -> None:
    path = make_ship().path
    FILES[name][0](path)
    with pytest.raises(ShipError, match=FILES[name][1]) as raised:
        read_ship(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert raised.value.hint


def test_a_member_twice_is_refused(make_ship: Make) -> None:
    path = make_ship().path
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as file:
        file.writestr("evidence/card.md", "other")
    with pytest.raises(ShipError, match="twice"):
        read_ship(path)


def test_a_file_over_the_limit_is_not_read(make_ship: Make) -> None:
    with pytest.raises(ShipError, match="larger than 100 bytes"):
        read_ship(make_ship().path, limit_bytes=100)


@pytest.mark.parametrize("member", ["encode.json", "graph.onnx", "policy.json", "evidence/card.md"])
def test_an_altered_part_is_named(make_ship: Make, member: str) -> None:
    path = make_ship().path
    members = content(path)
    rewrite(path, {**members, member: members[member] + b" "})
    with pytest.raises(ShipError, match=f"was altered at '{member}' after it was sealed"):
        read_ship(path)


MEMBERS: dict[str, tuple[Callable[[dict[str, bytes]], dict[str, Any]], str]] = {
    "a newer format": (lambda members: {"format": 2}, "has format 2; this Shiplap reads format 1 .install a newer"),
    "an unknown key": (lambda members: {"colour": 1}, "a 'manifest.json' that cannot be read: .*`colour`"),
    "another id": (lambda members: {"id": "0" * 64}, "a ship id that is not that of its parts"),
    "an unknown member": (lambda members: members.update({"x.py": b""}) or {}, "an unknown member 'x.py'"),
    "a hidden member": (lambda members: members.update({"evidence/.x": b""}) or {}, "an unknown member 'evidence/.x'"),
    "a part too few": (lambda members: members.pop("policy.json") and {}, "lacks 'policy.json'"),
    "a part that is not named": (lambda members: {"parts": {}}, "other members than its manifest names"),
    "JSON that is none": (lambda members: members.update({"policy.json": b"{"}) or {}, "'policy.json' that cannot be"),
    "JSON too deep": (
        lambda members: members.update({"encode.json": b"[" * 99 + b"]" * 99}) or {},
        "nests deeper than 32 levels",
    ),
    "a deep text is not deep": (
        lambda members: members.update({"policy.json": json.dumps({"decision": "[{" * 99 + '\\"'}).encode()}) or {},
        "missing required field `task`",
    ),
}


@pytest.mark.parametrize("name", MEMBERS)
def test_a_forged_ship_is_refused(make_ship: Make, name: str) -> None:
    path = make_ship().path
    members = content(path)
    changes = MEMBERS[name][0](members)
    rewrite(path, members, reseal=True, **changes)
    with pytest.raises(ShipError, match=MEMBERS[name][1]):
        read_ship(path)


ONE = Signature(inputs=(Field(name="age", kind="number"),), task="regression")
PARTS: dict[str, tuple[dict[str, Any], str]] = {
    "a width": ({"encoding": Encoding(operations=(Number(column="age"),))}, "encodes 1 numbers a row .* takes 6"),
    "no numbers": ({"encoding": Encoding()}, "encodes 0 numbers a row"),
    "an encoding to come": (
        {"encoding": Encoding(version=2, operations=(Number(column="age"),))},
        "encoding version 2; this Shiplap reads version 1",
    ),
    "an unknown column": (
        {"encoding": Encoding(operations=(Number(column="aeg"),))},
        "encodes the column 'aeg', no input of it .did you mean 'age'",
    ),
    "other classes": ({"policy": Policy(task="binary", classes=("a", "b"), positive=1)}, "different tasks or classes"),
    "no positive class": ({"policy": Policy(task="binary", classes=("no", "yes"))}, "class number -1 as the positive"),
    "no threshold": (
        {"policy": Policy(task="binary", classes=("no", "yes"), positive=1, threshold=float("inf"))},
        "'policy.json' that cannot be read: Expected `float`, got `null`",
    ),
    "a matrix": (
        {"policy": Policy(task="binary", classes=("no", "yes"), positive=1, matrix=((1.0, 2.0),))},
        "a value matrix that is not 2 by 2",
    ),
    "outputs": (
        {"signature": msgspec.structs.replace(ONE, inputs=ONE.inputs * 1), "policy": Policy(task="regression"),
         "encoding": Encoding(operations=(Number(column="age"),) * 6)},
        "a graph with 2 outputs where 1 are expected",
    ),
    "an input twice": (
        {"signature": msgspec.structs.replace(ONE, inputs=ONE.inputs * 2), "policy": Policy(task="regression"),
         "encoding": Encoding(operations=(Number(column="age"),) * 6)},
        "names an input twice",
    ),
    "a mixed vocabulary": (
        {"encoding": Encoding(operations=(Category(column="age", categories=("a", 1.0)),))},
        "the column 'age' in a way that mixes texts and numbers",
    ),
    "a category twice": (
        {"encoding": Encoding(operations=(Category(column="age", categories=("a", "a")),))},
        "in a way that names a category twice",
    ),
    "an infinite category": (
        {"encoding": Encoding(operations=(Category(column="age", categories=(1.0, float("inf"))),))},
        "'encode.json' that cannot be read",
    ),
    "values too few": (
        {"encoding": Encoding(operations=(Category(column="age", categories=("a", "b"), values=((1.0,),)),))},
        "has not as many rows of numbers as categories",
    ),
    "values too short": (
        {"encoding": Encoding(operations=(Category(column="age", categories=("a",), values=((1.0, 2.0),)),))},
        "writes rows of numbers of different lengths",
    ),
    "yes and no": (
        {"encoding": Encoding(operations=(Boolean(column="age", true=("Y",), false=("N", "Y")),))},
        "takes the same text for yes and for no",
    ),
    "no date": (
        {"encoding": Encoding(operations=(Date(column="age", parts=()), Number(column="age")))},
        "asks for no part of the date",
    ),
    "a date directive": (
        {"encoding": Encoding(operations=(Date(column="age", parts=("day",), format="%Y %c"),))},
        "uses the unknown date directive '%c'",
    ),
    "tokens and places": (
        {"encoding": Encoding(operations=(Text(column="age", vocabulary=("a",), n_features=1),))},
        "has both a vocabulary and hashed places, or neither",
    ),
    "no tokens": (
        {"encoding": Encoding(operations=(Text(column="age"), Number(column="age")))},
        "has both a vocabulary and hashed places, or neither",
    ),
    "a place beyond": (
        {"encoding": Encoding(operations=(Text(column="age", n_features=9, places=(9,)),))},
        "writes a hashed place twice, or one that there is not",
    ),
    "a rest of nothing": (
        {"encoding": Encoding(operations=(Text(column="age", n_features=9, rest="sizes"),))},
        "writes a rest of nothing",
    ),
    "a token twice": (
        {"encoding": Encoding(operations=(Text(column="age", vocabulary=("a", "a")),))},
        "in a way that names a token twice",
    ),
    "endless tokens": (
        {"encoding": Encoding(operations=(Text(column="age", vocabulary=("a",), ngrams=(1, 10**9)),))},
        "asks for tokens of an impossible length",
    ),
    "an unknown pattern": (
        {"encoding": Encoding(operations=(Text(column="age", vocabulary=("a",), characters="(a+)+"),))},
        "'encode.json' that cannot be read",
    ),
    "more than all characters": (
        {"encoding": Encoding(operations=(Text(column="age", vocabulary=("a",), characters="not_space", also=" "),))},
        "adds characters to a kind that takes none",
    ),
    "no graph": ({"graph": b""}, "a graph that is no ONNX model"),
}  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
def test_parts_that_do_not_fit_are_not_sealed(make_ship: Make, tmp_path: Path, name: str) -> None:
    parts, says = PARTS[name]
    with pytest.raises(ShipError, match=says):
        make_ship(fit=False, **parts)
    assert not list(tmp_path.iterdir())


@settings(suppress_health_check=list(HealthCheck), max_examples=250)
@given(data=st.data())
def test_a_flipped_bit_never_goes_unnoticed(make_ship: Make, data: st.DataObject) -> None:
    path = make_ship().path
    sound = path.read_bytes()
    at = data.draw(st.integers(0, len(sound) - 1))
    bit = data.draw(st.integers(0, 7))
    path.write_bytes(sound[:at] + bytes([sound[at] ^ (1 << bit)]) + sound[at + 1 :])
    with pytest.raises(ShipError):
        read_ship(path)


@settings(suppress_health_check=list(HealthCheck), max_examples=100)
@given(data=st.data())
def test_a_cut_or_spliced_file_never_goes_unnoticed(make_ship: Make, data: st.DataObject) -> None:
    path = make_ship().path
    sound = path.read_bytes()
    first, second = sorted(data.draw(st.tuples(*[st.integers(0, len(sound))] * 2)))
    instead = data.draw(st.binary(max_size=40))
    broken = sound[:first] + instead + sound[second:]
    path.write_bytes(broken)
    if broken != sound:
        with pytest.raises(ShipError):
            read_ship(path)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8})?", fullmatch=True), st.binary(max_size=50), max_size=4))
def test_a_container_gives_back_its_members(members: dict[str, bytes]) -> None:
    packed = b"".join(pack_members(members))
    assert {name: bytes(body) for name, body in unpack_members(packed).items()} == members


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader_of_containers(tail: bytes) -> None:
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 1, 1, len(tail), 4, 0)
    with pytest.raises(ShipError):
        unpack_members(b"PK\x03\x04" + tail + end)
