import dataclasses

import msgspec

from shiplap.core.certificate import Failure
from shiplap.proof import certificate_report, certify


def with_certificate(ship, certificate):
    return dataclasses.replace(ship, evidence={"parity.json": msgspec.json.encode(certificate)})


def test_what_holds_and_what_does_not(subject, load_draft):
    scorer = load_draft(subject)
    certificate = certify(subject, scorer)
    good = certificate_report(with_certificate(scorer.ship, certificate))
    assert (good.holds, good.verdict, good.metrics["flips"]) == (True, "holds", 0)
    assert [row[0] for row in good.table("kinds").rows] == [kind.name for kind in certificate.kinds]
    failure = Failure(kind="data", values={"a": 1.0}, original=(1.0,), ship=(0.0,), node="prepare > number")
    broken = msgspec.structs.replace(certificate, parity="flips", flips=3, failures=(failure,))
    bad = certificate_report(with_certificate(scorer.ship, broken))
    assert (bad.holds, bad.verdict) == (False, "broken")
    assert "prepare > number" in bad.findings[-1].means
