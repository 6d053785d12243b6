from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from shiplap.core.certificate import Certificate, RowKind, Vectors
from shiplap.core.encoding import Encoding, Number
from shiplap.core.errors import ShipError
from shiplap.core.policy import Policy
from shiplap.core.ship import Manifest, Ship
from shiplap.core.signature import Field, Signature

SIGNATURE = Signature(inputs=(Field(name="age", kind="number", example=41.0),), task="binary", classes=(False, True))
POLICY = Policy(task="binary", classes=(False, True), positive=1, threshold=0.25)
CERTIFICATE = Certificate(
    ship="ab" * 32,
    parity="exact",
    rows=3,
    flips=0,
    ties=0,
    largest_difference=0.0,
    band=1e-12,
    own_variation=0.0,
    input_cast=0.0,
    dtype="float64",
    kinds=(RowKind(name="data", rows=3, largest_difference=0.0),),
    vectors=Vectors(columns=("age",), rows=((41.0,), (None,), ("inf",)), outputs=((0.2, 0.8), (None, None), (0, 1))),
)


def ship(evidence: dict[str, bytes], *, id_: str = "ab" * 32) -> Ship:
    manifest = Manifest(format=1, id=id_, name="late", made_by="shiplap 0", signature=SIGNATURE, parts={})
    encoding = Encoding(operations=(Number(column="age"),))
    return Ship(
        path=Path("late.ship"), manifest=manifest, encoding=encoding, graph=b"graph", policy=POLICY, evidence=evidence
    )


def test_a_certificate_is_read_from_the_evidence() -> None:
    sealed = ship({"parity.json": msgspec.json.encode(CERTIFICATE)})
    assert sealed.certificate == CERTIFICATE
    assert sealed.signature.names == ("age",)
    assert sealed.sealed_bytes > len(b"graph")
    assert "late" in repr(sealed)


@pytest.mark.parametrize(
    ("evidence", "message"),
    [
        ({}, "carries no parity certificate .pack it again"),
        ({"parity.json": b"{"}, "cannot be read"),
        ({"parity.json": b"{}"}, "cannot be read"),
        ({"parity.json": msgspec.json.encode(CERTIFICATE).replace(b"abab", b"cdab")}, "speaks of another ship: cdab"),
    ],
)
def test_a_certificate_that_proves_nothing_is_refused(evidence: dict[str, bytes], message: str) -> None:
    with pytest.raises(ShipError, match=message):
        _ = ship(evidence).certificate


@pytest.mark.parametrize("noun", [SIGNATURE, POLICY, CERTIFICATE])
def test_nouns_go_through_json_unchanged(noun: msgspec.Struct) -> None:
    assert msgspec.json.decode(msgspec.json.encode(noun), type=type(noun)) == noun
    assert type(noun).__struct_config__.frozen


@pytest.mark.parametrize("noun", [Signature, Policy, Field, Manifest])
def test_what_is_sealed_takes_no_unknown_field(noun: type[msgspec.Struct]) -> None:
    assert noun.__struct_config__.forbid_unknown_fields
