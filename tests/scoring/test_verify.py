"""Verifying: vectors are replayed, and a ship that answers otherwise is broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from shiplap.core.certificate import Certificate, Vectors
from shiplap.core.encoding import Date, Encoding
from shiplap.core.errors import ShipError
from shiplap.core.policy import Policy
from shiplap.core.ship import Ship
from shiplap.core.signature import Field, Signature
from shiplap.scoring import attach, load, verify

Make = Callable[..., Ship]
COLUMNS = ("age", "paid", "color", "at")
ROWS = ((41.0, True, "red", "2013-05-01"), ("inf", None, "", None), ("-inf", False, "blue", "2013-12-31 23:59:59Z"))


def certify(ship: Ship, /, *, nudge: float = 0.0, **changes: Any) -> Ship:
    """Attach a certificate that states what the ship answers, off by `nudge`."""
    outputs = load(ship.path).outputs([dict(zip(COLUMNS, row, strict=True)) for row in ROWS]) + nudge
    certificate = Certificate(
        ship=ship.id, parity="exact", rows=3, flips=0, ties=0, largest_difference=0.0, band=1e-9, own_variation=0.0,
        input_cast=0.0, dtype="float64", kinds=(), vectors=Vectors(columns=COLUMNS, rows=ROWS, outputs=plain(outputs)),
    )  # fmt: skip
    certificate = msgspec.structs.replace(certificate, **changes)
    return attach(ship.path, {"parity.json": msgspec.json.encode(certificate)})


def plain(outputs: Any) -> tuple[tuple[float | None, ...], ...]:
    return tuple(tuple(None if np.isnan(value) else value for value in row) for row in outputs.tolist())


def test_a_ship_that_answers_as_certified_holds(make_ship: Make) -> None:
    report = verify(certify(make_ship()).path)
    assert (report.verdict, report.holds) == ("holds", True)
    assert [(finding.check, finding.verdict) for finding in report.findings] == [
        ("verify.digests", "good"),
        ("verify.vectors", "good"),
    ]
    assert report.metrics["vectors"] == 3
    assert report.metrics["flips"] == 0
    assert report.metrics["largest_difference"] < 1e-15  # type: ignore[operator]


def test_differences_inside_the_band_hold(make_ship: Make) -> None:
    report = verify(certify(make_ship(), nudge=1e-12).path)
    assert report.holds
    assert report.metrics["largest_difference"] == pytest.approx(1e-12, rel=1e-3)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"nudge": 1e-6}, "1 of 3 vectors are answered otherwise, the largest difference is 1e-06 where 1e-09"),
        ({"ship": "0" * 64}, "speaks of another ship"),
        ({"vectors": Vectors(columns=COLUMNS, rows=(), outputs=())}, "holds no vectors"),
        ({"vectors": Vectors(columns=COLUMNS, rows=ROWS, outputs=((0.5, 0.5),))}, "vectors do not fit the ship"),
        ({"vectors": Vectors(columns=COLUMNS, rows=ROWS, outputs=((1.0,),) * 3)}, "vectors do not fit the ship"),
        ({"vectors": Vectors(columns=COLUMNS[:3], rows=ROWS, outputs=((0.5, 0.5),) * 3)}, "do not fit the ship"),
        (
            {"vectors": Vectors(columns=COLUMNS, rows=(("old", None, None, None),), outputs=((0.5, 0.5),))},
            "column 'age': expected a number, got the text 'old'",
        ),
        ({"vectors": Vectors(columns=COLUMNS, rows=ROWS, outputs=((None, None),) * 3)}, "largest difference is inf"),
    ],
)
def test_a_ship_that_does_not_is_broken(make_ship: Make, changes: dict[str, Any], says: str) -> None:
    report = verify(certify(make_ship(), **changes).path)
    assert (report.verdict, report.holds) == ("broken", False)
    assert report.findings[-1].verdict == "fail"
    assert says in report.findings[-1].means
    assert msgspec.json.decode(report.to_json())["verdict"] == "broken"


def test_without_a_certificate_nothing_is_shown(make_ship: Make) -> None:
    report = verify(make_ship().path)
    assert report.holds
    assert report.findings[-1].verdict == "warn"
    assert "carries no certificate" in report.findings[-1].means


def test_a_damaged_certificate_is_no_proof(make_ship: Make) -> None:
    report = verify(attach(make_ship().path, {"parity.json": b"{"}).path)
    assert not report.holds
    assert "cannot be read" in report.findings[-1].means


def test_numbers_are_measured_by_their_scale(make_ship: Make) -> None:
    fields = tuple(Field(name=name, kind="number") for name in COLUMNS)
    ship = make_ship(
        signature=Signature(inputs=fields, task="regression"),
        policy=Policy(task="regression"),
    )
    assert not verify(certify(ship, nudge=1e-6).path).holds
    assert verify(certify(ship, nudge=1e-6, scale=1e4).path).holds


def test_vectors_are_iso_whatever_the_format_of_their_column(make_ship: Make) -> None:
    *others, at = make_ship().encoding.operations
    assert isinstance(at, Date)
    encoding = Encoding(operations=(*others, msgspec.structs.replace(at, format="%Y-%d-%m")))
    ship = make_ship(encoding=encoding)
    fitting = load(make_ship("iso.ship").path)
    rows = (("41", None, None, "2013-02-01"),)
    outputs = plain(fitting.outputs([dict(zip(COLUMNS, rows[0], strict=True))]))
    certified = certify(make_ship("iso.ship"), vectors=Vectors(columns=COLUMNS, rows=rows, outputs=outputs))
    content = msgspec.structs.replace(certified.certificate, ship=ship.id)
    assert verify(attach(ship.path, {"parity.json": msgspec.json.encode(content)}).path).holds


def test_a_file_that_is_no_ship_is_an_error(make_ship: Make) -> None:
    path = make_ship().path
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(ShipError, match="is truncated"):
        verify(path)
