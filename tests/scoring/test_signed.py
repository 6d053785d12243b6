"""Signing for real, with the OpenSSF library and keys that OpenSSL's own library makes."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shiplap.core.errors import InputError
from shiplap.scoring import attach, read_ship, sign, verify, write_ship


def write_keys(folder: Path, name: str, password: bytes = b"") -> tuple[Path, Path]:
    private = ec.generate_private_key(ec.SECP256R1())
    how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    paths = folder / f"{name}.pem", folder / f"{name}.pub"
    for path, content in zip(paths, (pem, public), strict=True):
        path.write_bytes(content)
    return paths


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return write_keys(tmp_path_factory.mktemp("keys"), "ours")


@pytest.fixture
def path(make_ship):
    return make_ship().path


def signature_of(report):
    return next(finding for finding in report.findings if finding.check == "verify.signature")


def test_a_signature_holds_and_stays_when_evidence_is_added(path, keys):
    before = read_ship(path).id
    ship = sign(path, key=keys[0])
    assert ship.id == before
    attach(path, {"card.md": b"# later"})
    assert signature_of(verify(path, key=keys[1])).verdict == "good"
    assert b"dsse" in ship.evidence["model.sig"]


def test_another_key_does_not_open_it(path, keys, tmp_path):
    sign(path, key=keys[0])
    report = verify(path, key=write_keys(tmp_path, "theirs")[1])
    assert not report.holds
    assert signature_of(report).verdict == "fail"


def test_a_signature_of_another_ship_does_not_hold(path, keys, tmp_path):
    signed = sign(path, key=keys[0])
    ship = read_ship(path)
    renamed = msgspec.structs.replace(ship.signature, inputs=ship.signature.inputs[::-1])
    other = write_ship(
        tmp_path / "other.ship",
        name=ship.manifest.name,
        signature=renamed,
        encoding=ship.encoding,
        graph=ship.graph,
        policy=ship.policy,
        evidence={"model.sig": signed.evidence["model.sig"]},
    )
    assert other.id == ship.id
    assert not verify(other.path, key=keys[1]).holds


def test_no_signature_and_a_broken_one_do_not_hold(path, keys):
    assert "no signature" in signature_of(verify(path, key=keys[1])).means
    for content in (b"", b"{}", b"not json", b'{"dsseEnvelope": 1}'):
        attach(path, {"model.sig": content})
        assert signature_of(verify(path, key=keys[1])).verdict == "fail"


def test_keys_that_cannot_be_read_are_said(path, keys, tmp_path, monkeypatch):
    (tmp_path / "not.pem").write_text("no key")
    with pytest.raises(InputError, match="no private elliptic-curve key"):
        sign(path, key=tmp_path / "not.pem")
    with pytest.raises(InputError, match="there is no key"):
        sign(path, key=tmp_path / "absent.pem")
    locked = write_keys(tmp_path, "locked", password=b"open sesame")
    with pytest.raises(InputError, match="no private elliptic-curve key"):
        sign(path, key=locked[0])
    monkeypatch.setenv("SHIPLAP_KEY_PASSWORD", "open sesame")
    sign(path, key=locked[0])
    assert signature_of(verify(path, key=locked[1])).verdict == "good"
    shutil.copy(keys[0], tmp_path / "private.pem")
    with pytest.raises(InputError, match="no public elliptic-curve key"):
        verify(path, key=tmp_path / "private.pem")
