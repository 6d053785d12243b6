"""The key file: what stands in it, who may read it, and that it is whole whatever happens to its writers."""

import hashlib
import json
import random
import re
import signal
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shiplap.core.errors import InputError
from shiplap.engineer.deploy.serve.access import add_key, list_keys, revoke_key, rotate_key

HOUR = timedelta(hours=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def digests(path: Path, name: str) -> list[str]:
    return [secret.sha256 for grant in list_keys(path) if grant.name == name for secret in grant.secrets]


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def test_a_key_is_random_and_only_its_digest_is_written(path):
    keys = {add_key(path, name, models=["churn"], rate=2.5, admin=True) for name in ("a", "b")}
    assert len(keys) == 2
    assert all(re.fullmatch(r"sk_[\w-]{43}", key) for key in keys)
    text = path.read_text()
    assert not any(key in text or key[3:] in text for key in keys)
    assert {*digests(path, "a"), *digests(path, "b")} == set(map(digest, keys))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["keys.json"]
    grant = list_keys(path)[0]
    assert (grant.models, grant.rate, grant.at_once, grant.admin, grant.expires) == (("churn",), 2.5, 3, True, None)
    assert abs(datetime.now(UTC) - grant.created) < timedelta(seconds=10)


def test_a_file_that_is_a_link_stays_one(path):
    real = path.with_name("real.json")
    add_key(real, "a")
    path.symlink_to(real)
    add_key(path, "b")
    assert path.is_symlink()
    assert [grant.name for grant in list_keys(real)] == ["a", "b"]


def test_a_key_that_is_revoked_is_gone(path):
    add_key(path, "a")
    kept = add_key(path, "b")
    revoke_key(path, "a")
    assert [grant.name for grant in list_keys(path)] == ["b"]
    assert digests(path, "b") == [digest(kept)]


def test_a_key_is_replaced_at_once_or_after_a_grace(path):
    first = add_key(path, "a", models=["churn"], expires=timedelta(days=9))
    before = list_keys(path)[0]
    second = rotate_key(path, "a", grace=HOUR)
    assert digests(path, "a") == [digest(first), digest(second)]
    after = list_keys(path)[0]
    old, new = after.secrets
    assert HOUR - timedelta(seconds=10) < after.ends(old) - datetime.now(UTC) <= HOUR
    assert after.ends(new) == before.expires
    assert (after.models, after.created) == (before.models, before.created)
    third = rotate_key(path, "a", grace=2 * HOUR)
    assert digests(path, "a") == [digest(first), digest(second), digest(third)]
    assert list_keys(path)[0].secrets[0] == old  # its grace is not made longer by the next
    fourth = rotate_key(path, "a")
    assert digests(path, "a") == [digest(fourth)]


def aged(path: Path, **fields: object) -> None:
    """Write other moments into the file, as if time had passed."""
    told = json.loads(path.read_text())
    told["keys"][0].update(fields)
    path.write_text(json.dumps(told))


def test_rotation_does_not_wake_what_has_expired(path):
    old = add_key(path, "a", expires=HOUR)
    aged(path, expires="2020-01-01T00:00:00Z")
    with pytest.raises(InputError, match="has expired"):
        rotate_key(path, "a", grace=HOUR)
    new = rotate_key(path, "a", grace=HOUR, expires=2 * HOUR)
    assert digests(path, "a") == [digest(new)] != [digest(old)]


@pytest.mark.parametrize(
    ("name", "chosen", "said"),
    [
        ("a", {}, "'a' has a key already"),
        ("", {}, "no such key"),
        ("two words", {}, "no such key"),
        ("x" * 65, {}, "no such key"),
        ("line\nbreak", {}, "no such key"),
        ("b", {"burst": 3}, "a burst needs a rate"),
        ("b", {"rate": 1, "burst": 0}, "no such key"),
        ("b", {"rate": 0}, "above 0, not 0"),
        ("b", {"rate": -1}, "above 0, not -1"),
        ("b", {"rate": float("inf")}, "above 0, not inf"),
        ("b", {"rate": float("nan")}, "above 0, not nan"),
        ("b", {"expires": timedelta()}, "a time to come is expected"),
        ("b", {"expires": timedelta(days=9_999_999)}, "too long"),
    ],
)
def test_what_cannot_be_given_is_refused(path, name, chosen, said):
    add_key(path, "a")
    before = path.read_bytes()
    with pytest.raises(InputError, match=said):
        add_key(path, name, **chosen)
    assert path.read_bytes() == before


def test_who_is_not_there_cannot_be_revoked(path):
    for act in (revoke_key, rotate_key):
        with pytest.raises(InputError, match="there is no key file"):
            act(path, "billing")
        assert not path.exists()
    add_key(path, "billing")
    for act in (revoke_key, rotate_key):
        with pytest.raises(InputError, match="nobody called 'biling' has a key") as caught:
            act(path, "biling")
        assert caught.value.hint == "did you mean 'billing'?"


def test_a_certificate_stands_for_a_key(path):
    assert add_key(path, "a", certificate="billing.acme", rate=3) == ""
    assert digests(path, "a") == []
    assert list_keys(path)[0].certificate == "billing.acme"
    with pytest.raises(InputError, match=r"'billing.acme' is that of 'a' already"):
        add_key(path, "b", certificate="billing.acme")
    with pytest.raises(InputError, match="known by a certificate, and has no key"):
        rotate_key(path, "a")
    revoke_key(path, "a")
    assert list_keys(path) == ()


KEY = {"name": "a", "created": "2026-01-01T00:00:00Z", "secrets": [{"sha256": "0" * 64}]}


@pytest.mark.parametrize(
    "told",
    [
        "",
        "{",
        "[]",
        b"\xff\xfe",
        {"format": 2, "keys": []},
        {"format": 1, "keys": [{**KEY, "model": ["churn"]}]},  # a misspelt field would open every model
        {"format": 1, "keys": [{**KEY, "rate": 0}]},
        {"format": 1, "keys": [{**KEY, "rate": "fast"}]},
        {"format": 1, "keys": [{**KEY, "burst": 0}]},
        {"format": 1, "keys": [{**KEY, "expires": "2026-01-01T00:00:00"}]},  # of which zone?
        {"format": 1, "keys": [{**KEY, "secrets": [{"sha256": "sk_oops"}]}]},
        {"format": 1, "keys": [{**KEY, "name": "a b"}]},
        {"format": 1, "keys": [KEY, KEY]},
        {"format": 1, "keys": [KEY, {**KEY, "name": "b"}]},
        {"format": 1, "keys": [{**KEY, "name": name, "secrets": [], "certificate": "c"} for name in "ab"]},
    ],
)
def test_what_is_no_key_file_is_refused_in_one_line(path, told):
    path.write_bytes(
        told if isinstance(told, bytes) else (told if isinstance(told, str) else json.dumps(told)).encode()
    )
    for act in (list_keys, lambda path: add_key(path, "b")):
        with pytest.raises(InputError, match="is not a key file") as caught:
            act(path)
        assert "\n" not in str(caught.value)
    path.write_text(json.dumps({"format": 1, "keys": [KEY]}))
    assert list_keys(path)[0].rate is None


ADD = """
import sys
from shiplap.engineer.deploy.serve.access.keys import add_key
for index in range(int(sys.argv[3])):
    print(add_key(sys.argv[1], f"{sys.argv[2]}-{index}"), flush=True)
"""


def adding(path: Path, who: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", ADD, str(path), who, str(count)], stdout=subprocess.PIPE, text=True)


def test_writers_do_not_lose_each_others_keys(path):
    processes = [adding(path, f"p{index}", 10) for index in range(4)]
    given = [line.strip() for process in processes for line in process.communicate(timeout=60)[0].splitlines()]
    assert len(given) == 40
    assert {secret.sha256 for grant in list_keys(path) for secret in grant.secrets} == set(map(digest, given))


def test_a_writer_that_is_killed_leaves_a_whole_file(path):
    add_key(path, "before")
    random.seed(3)
    killed = 0
    for turn in range(6):
        with adding(path, f"t{turn}", 100_000) as process:
            assert process.stdout is not None
            first = process.stdout.readline().strip()
            time.sleep(random.random() * 0.05)
            process.send_signal(signal.SIGKILL)
            given = [first, *(line.strip() for line in process.stdout)]
            killed += process.wait(timeout=20) == -signal.SIGKILL
        known = {secret.sha256 for grant in list_keys(path) for secret in grant.secrets}
        assert set(map(digest, given)) <= known, "a key was printed that is not in the file"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert killed == 6
    add_key(path, "after")  # nobody holds the lock
