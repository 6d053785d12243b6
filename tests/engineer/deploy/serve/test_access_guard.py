"""The guard in this process: whom it knows, what it says to others, and how it keeps up with its file."""

import hashlib
import json
import os
from datetime import UTC, datetime, timedelta

import pytest

from shiplap.core.errors import InputError
from shiplap.engineer.deploy.serve.access import (
    AccessGuard,
    add_key,
    open_paths,
    revoke_key,
    rotate_key,
    security,
)
from shiplap.engineer.deploy.serve.problem import ProblemError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keys.json"


def refused(act, *arguments):
    with pytest.raises(ProblemError) as caught:
        act(*arguments)
    return caught.value


def bearer(key):
    return {"authorization": f"Bearer {key}"}


def test_a_key_is_known_by_either_header(path):
    key = add_key(path, "billing")
    guard = AccessGuard(path)
    for headers in (bearer(key), {"authorization": f"bearer  {key}"}, {"x-api-key": key}):
        assert guard.authorize(headers, "/predict").name == "billing"
    both = {**bearer(key), "x-api-key": "other"}
    assert guard.authorize(both, "/predict").name == "billing"
    basic = {"authorization": "Basic YTpi", "x-api-key": key}  # a proxy's, for itself
    assert guard.authorize(basic, "/predict").name == "billing"


def test_who_has_no_key_is_told_how_and_who_has_a_wrong_one_nothing_else(path):
    key = add_key(path, "billing")
    old = add_key(path, "gone")
    revoke_key(path, "gone")
    guard = AccessGuard(path)
    for headers in ({}, {"authorization": "Basic YTpi"}, {"authorization": "Bearer"}, {"x-api-key": ""}):
        problem = refused(guard.authorize, headers, "/predict")
        assert problem.status == 401
        assert problem.headers == {"WWW-Authenticate": 'Bearer realm="shiplap"'}
    wrong = [
        old, key[:-1], f"{key}x", key.upper(), "billing", f"{key}, {key}", "ключ".encode().decode("latin-1"), "\ud800"
    ]  # fmt: skip
    told = {bytes(refused(guard.authorize, bearer(each), "/predict").body()) for each in wrong}
    assert len(told) == 1
    assert b"billing" not in told.pop()
    assert 'error="invalid_token"' in refused(guard.authorize, bearer(old), "/predict").headers["WWW-Authenticate"]
    hashed = hashlib.sha256(key.encode())  # what stands in the file opens nothing
    assert refused(guard.authorize, bearer(hashed.hexdigest()), "/predict").status == 401


def test_probes_and_pages_are_open_and_nothing_else(path, monkeypatch):
    add_key(path, "billing")
    monkeypatch.setenv("AIP_HEALTH_ROUTE", "/alive")
    guard = AccessGuard(path)
    for place in ("/", "/docs", "/health", "/ping", "/v2/health/live", "/v2/health/ready", "/alive"):
        assert guard.authorize({}, place) is None
    for place in ("/predict", "/invocations", "/openapi.json", "/v2", "/v2/models/churn", "/metrics", "/health/", "*"):
        assert refused(guard.authorize, {}, place).status == 401
    assert "/rows" not in open_paths({"AIP_HEALTH_ROUTE": "/rows", "AIP_PREDICT_ROUTE": "/rows"})
    assert refused(AccessGuard(path, unkeyed=()).authorize, {}, "/health").status == 401


def test_a_key_is_for_its_models(path):
    all_of_them = add_key(path, "a")
    one = add_key(path, "b", models=["churn", "delay"])
    guard = AccessGuard(path)
    guard.authorize(bearer(all_of_them), "/predict").require("anything")
    caller = guard.authorize(bearer(one), "/predict")
    caller.require("churn")
    problem = refused(caller.require, "fraud")
    assert problem.status == 403
    assert problem.members["expected"] == "churn, delay"


def test_administration_takes_keys_of_administrators_alone(path):
    usual, admin = add_key(path, "a"), add_key(path, "b", admin=True, rate=1)
    guard = AccessGuard(path).for_admin()
    assert guard.authorize({}, "/health") is None
    assert refused(guard.authorize, {}, "/").status == 401
    assert refused(guard.authorize, bearer("x"), "/models").status == 401
    assert refused(guard.authorize, bearer(usual), "/models").status == 403
    caller = guard.authorize(bearer(admin), "/models")
    assert caller.name == "b"
    guard.spend(caller)
    assert refused(guard.spend, caller).status == 429


def test_too_many_requests_are_told_when_to_come_again(path):
    key = add_key(path, "a", rate=0.5, burst=3)
    free = add_key(path, "b")
    guard = AccessGuard(path)
    caller = guard.authorize(bearer(key), "/predict")
    for _ in range(3):
        guard.spend(caller)
    problem = refused(guard.spend, caller)
    assert problem.status == 429
    assert problem.headers == {
        "Retry-After": "2",
        "RateLimit-Policy": '"key";q=3;w=6',
        "RateLimit": '"key";r=0;t=2',
    }
    other = guard.authorize(bearer(free), "/predict")
    for _ in range(1_000):
        guard.spend(other)


def test_both_keys_of_a_rotation_count_together(path):
    old = add_key(path, "a", rate=0.01, burst=2)
    new = rotate_key(path, "a", grace=timedelta(hours=1))
    guard = AccessGuard(path)
    callers = [guard.authorize(bearer(key), "/predict") for key in (old, new)]
    for caller in callers:
        guard.spend(caller)
    for caller in callers:
        assert refused(guard.spend, caller).status == 429


def test_the_file_is_read_again_when_it_changes(path):
    key = add_key(path, "a")
    guard = AccessGuard(path)
    assert not guard.refresh()
    revoke_key(path, "a")
    other = add_key(path, "b")
    assert guard.authorize(bearer(key), "/predict").name == "a"
    assert guard.refresh()
    assert not guard.refresh()
    assert refused(guard.authorize, bearer(key), "/predict").status == 401
    assert guard.authorize(bearer(other), "/predict").name == "b"


def test_what_was_spent_stays_spent_when_the_file_changes(path):
    key = add_key(path, "a", rate=0.01, burst=2)
    guard = AccessGuard(path)
    caller = guard.authorize(bearer(key), "/predict")
    for _ in range(2):
        guard.spend(caller)
    add_key(path, "b", rate=0.01, burst=2)
    assert guard.refresh()
    assert refused(guard.spend, guard.authorize(bearer(key), "/predict")).status == 429


@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_text('{"keys": [')])
def test_a_broken_file_changes_nothing_but_a_line_on_standard_error(path, spoil, capfd):
    key = add_key(path, "a")
    guard = AccessGuard(path)
    whole = path.read_bytes()
    spoil(path)
    for _ in range(3):
        assert not guard.refresh()
    assert guard.authorize(bearer(key), "/predict").name == "a"
    said = capfd.readouterr().err
    assert said.count("the keys stay as they were") == said.count("\n") == 1
    path.write_bytes(whole)
    assert guard.refresh()
    assert capfd.readouterr().err == ""
    os.utime(path, (0, 0))  # touched, and the same
    assert guard.refresh()
    assert guard.authorize(bearer(key), "/predict").name == "a"


def test_a_server_does_not_start_without_its_keys(path):
    with pytest.raises(InputError, match="there is no key file") as caught:
        AccessGuard(path)
    assert "shiplap keys add NAME --file" in caught.value.hint
    path.write_text("[]")
    with pytest.raises(InputError, match="is not a key file"):
        AccessGuard(path)


def moved(path, **fields):
    told = json.loads(path.read_text())
    told["keys"][0].update(fields)
    path.write_text(json.dumps(told))


def test_keys_expire(path, monkeypatch):
    key = add_key(path, "a", expires=timedelta(hours=1))
    guard = AccessGuard(path)
    assert guard.authorize(bearer(key), "/predict").name == "a"
    soon = datetime.now(UTC).timestamp() + 3_601
    monkeypatch.setattr("shiplap.engineer.deploy.serve.access.guard._now_s", lambda: soon)
    assert guard.refresh()
    assert not guard.refresh()
    assert refused(guard.authorize, bearer(key), "/predict").status == 401


def test_a_key_that_has_expired_is_not_known_from_the_start(path):
    key = add_key(path, "a", expires=timedelta(hours=1))
    moved(path, expires="2020-01-01T00:00:00Z")
    assert refused(AccessGuard(path).authorize, bearer(key), "/predict").status == 401


def test_the_old_key_ends_with_its_grace(path, monkeypatch):
    old = add_key(path, "a")
    new = rotate_key(path, "a", grace=timedelta(hours=1))
    guard = AccessGuard(path)
    for key in (old, new):
        assert guard.authorize(bearer(key), "/predict").name == "a"
    soon = datetime.now(UTC).timestamp() + 3_601
    monkeypatch.setattr("shiplap.engineer.deploy.serve.access.guard._now_s", lambda: soon)
    assert guard.refresh()
    assert refused(guard.authorize, bearer(old), "/predict").status == 401
    assert guard.authorize(bearer(new), "/predict").name == "a"


def test_certificates_are_names_of_callers_until_they_expire(path, monkeypatch):
    add_key(path, "a", certificate="billing", expires=timedelta(hours=1))
    key = add_key(path, "b")
    guard = AccessGuard(path)
    shown = guard.showing(("other", "billing"))
    assert shown.authorize({}, "/predict").name == "a"
    assert shown.authorize(bearer(key), "/predict").name == "b"
    assert shown.authorize({}, "/health") is None
    assert refused(guard.authorize, {}, "/predict").status == 401
    assert refused(guard.showing(("other", "Billing")).authorize, {}, "/predict").status == 401
    assert refused(guard.authorize, bearer("billing"), "/predict").status == 401
    assert refused(guard.for_admin().showing(("billing",)).authorize, {}, "/models").status == 403
    soon = datetime.now(UTC).timestamp() + 3_601
    monkeypatch.setattr("shiplap.engineer.deploy.serve.access.guard._now_s", lambda: soon)
    assert guard.refresh()
    assert refused(shown.authorize, {}, "/predict").status == 401


def test_the_description_names_both_headers():
    told = security()
    assert told["components"]["securitySchemes"] == {
        "bearer": {"type": "http", "scheme": "bearer"},
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    assert [list(each) for each in told["security"]] == [["bearer"], ["header"]]
