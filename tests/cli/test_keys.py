"""`shiplap keys`: a key is printed once, and nothing that is secret a second time."""

import hashlib
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from shiplap.cli.main import cli
from shiplap.core.errors import InputError
from shiplap.engineer.deploy.serve.access import list_keys


@pytest.fixture
def file(tmp_path: Path) -> str:
    return str(tmp_path / "keys.json")


def keys(*arguments: str, file: str) -> Result:
    return CliRunner().invoke(cli, ["keys", *arguments, "--file", file])


def known(file: str, key: str) -> bool:
    digest = hashlib.sha256(key.encode()).hexdigest()
    return any(secret.sha256 == digest for grant in list_keys(file) for secret in grant.secrets)


def test_the_key_alone_goes_to_standard_output(file: str) -> None:
    done = keys("add", "billing", "--models", "churn, delay", "--rate", "100", "--expires", "90d", file=file)
    assert done.exit_code == 0, done.output
    assert known(file, done.stdout.removesuffix("\n"))
    assert done.stderr == "the key of 'billing': it is not shown again\n"
    grant = list_keys(file)[0]
    assert (grant.models, grant.rate, grant.at_once, grant.admin) == (("churn", "delay"), 100.0, 100, False)
    assert grant.expires == grant.created + timedelta(days=90)


def test_keys_are_listed_rotated_and_revoked(file: str) -> None:
    first = json.loads(keys("add", "billing", "--rate", "5", "--burst", "9", "--json", file=file).stdout)["key"]
    keys("add", "ops", "--admin", file=file)
    second = keys("rotate", "billing", "--grace", "1h", file=file).stdout.strip()
    assert known(file, first)
    assert known(file, second)
    shown = keys("list", file=file).stdout
    told = keys("list", "--json", file=file).stdout
    for word in ("billing", "ops", "rotating", "good"):
        assert word in shown
    listed = {each["name"]: each for each in json.loads(told)["keys"]}
    assert (listed["billing"]["taken"], listed["billing"]["rate"], listed["billing"]["burst"]) == (2, 5.0, 9)
    assert (listed["ops"]["admin"], listed["ops"]["burst"], listed["ops"]["expires"]) == (True, None, None)
    assert datetime.fromisoformat(listed["ops"]["created"]).tzinfo is not None
    for secret in (first, second, *(each.sha256 for grant in list_keys(file) for each in grant.secrets)):
        assert secret not in shown + told
    third = json.loads(keys("rotate", "billing", "--expires", "2w", "--json", file=file).stdout)["key"]
    assert (known(file, first), known(file, second), known(file, third)) == (False, False, True)
    assert json.loads(keys("revoke", "billing", "--json", file=file).stdout) == {"name": "billing", "revoked": True}
    assert [grant.name for grant in list_keys(file)] == ["ops"]
    assert "'ops' has no key any more" in keys("revoke", "ops", file=file).stdout
    assert json.loads(keys("list", "--json", file=file).stdout) == {"keys": []}


def test_a_certificate_makes_no_key(file: str) -> None:
    done = keys("add", "billing", "--certificate", "billing.acme", "--models", "churn", file=file)
    assert done.stdout == "'billing' is known by a certificate with the name 'billing.acme'\n"
    told = json.loads(keys("add", "b", "--certificate", "b.acme", "--json", file=file).stdout)
    assert told == {"name": "b", "certificate": "b.acme"}
    listed = json.loads(keys("list", "--json", file=file).stdout)["keys"]
    assert [(each["certificate"], each["taken"]) for each in listed] == [("billing.acme", 1), ("b.acme", 1)]
    assert "good" in keys("list", file=file).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "a", "--expires", "soon"), "a time such as 90d"),
        (("add", "a", "--expires", "0d"), "a time to come"),
        (("add", "a", "--expires", f"{10**30}w"), "too long"),
        (("add", "a", "--burst", "3"), "a burst needs a rate"),
        (("add", "a", "--rate", "nan"), "above 0, not nan"),
        (("list",), "there is no key file"),
        (("revoke", "a"), "there is no key file"),
        (("rotate", "a", "--grace", "-1h"), "a time such as"),
    ],
)
def test_what_cannot_be_done_is_said(file: str, arguments: tuple[str, ...], said: str) -> None:
    done = keys(*arguments, file=file)
    assert isinstance(done.exception, InputError)
    assert said in str(done.exception)
    assert not Path(file).exists()
