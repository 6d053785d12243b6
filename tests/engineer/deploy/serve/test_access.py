"""Keys at a real server, with real clients: who is let in, for what, how often, and until when."""

import concurrent.futures
import json
import re
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shiplap.engineer.deploy.serve.access import add_key, revoke_key, rotate_key

ROW = {"age": 41, "plan": "basic", "since": "2013-03-01", "paid": True}


@contextmanager
def guarded(start: Callable[..., Any], keys: Path, *ships: Path, says: str = "", **chosen: object) -> Iterator[Any]:
    """Run a server that asks for keys; `says` is what it writes to standard error."""
    with start(*ships, keys=str(keys), **chosen) as run:
        yield run
        assert re.fullmatch(says, run.stop())


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("keys") / "keys.json"


@pytest.fixture(scope="module")
def url(start, keys, ship, regression_ship) -> Iterator[str]:
    add_key(keys, "first")
    with guarded(start, keys, ship, regression_ship) as run:
        yield run.url


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def ask(client: httpx.Client, key: str, model: str = "churn") -> int:
    return client.post(f"/predict/{model}", json=ROW, headers=bearer(key)).status_code


def until(act, seconds: float = 1.0):
    """Return once `act` holds; the time it may take is what a user is promised."""
    end = time.monotonic() + seconds
    while not act():
        assert time.monotonic() < end, f"it took longer than {seconds} s"
        time.sleep(0.01)


def known(client: httpx.Client, key: str) -> None:
    until(lambda: ask(client, key) == 200, seconds=5)


def test_who_has_no_key_gets_no_answer_but_probes_do(url):
    with httpx.Client(base_url=url) as client:
        for method, path in (
            ("POST", "/predict/churn"), ("POST", "/predict/none"), ("POST", "/v2/models/churn/infer"),
            ("POST", "/invocations"), ("POST", "/v1/models/churn:predict"), ("POST", "/predictions/churn"),
            ("POST", "/score"), ("GET", "/v2/models/churn"), ("GET", "/v1/models"), ("GET", "/openapi.json"),
            ("GET", "/swagger.json"), ("GET", "/nothing"), ("OPTIONS", "/predict/churn"),
        ):  # fmt: skip
            answer = client.request(method, path, content=b"{}" if method == "POST" else None)
            assert answer.status_code == 401, path
            assert answer.headers["www-authenticate"] == 'Bearer realm="shiplap"'
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["detail"] == "a key is needed"
            assert "churn" not in answer.text
        for path in ("/health", "/ping", "/v2/health/live", "/v2/health/ready", "/"):
            assert client.get(path).status_code == 200, path


def test_a_key_opens_every_protocol(url, keys):
    key = add_key(keys, "every")
    with httpx.Client(base_url=url) as client:
        known(client, key)
        client.headers = {"X-API-Key": key}
        assert client.post("/predict/churn", json=ROW).status_code == 200
        assert client.post("/v1/models/churn:predict", json={"instances": [ROW]}).status_code == 200
        assert client.post("/predictions/churn", json=ROW).status_code == 200
        assert client.get("/v2/models/churn").status_code == 200
        assert client.get("/openapi.json").status_code == 200
        assert client.get("/nothing").status_code == 404


def test_the_description_says_truly_what_needs_a_key(url, keys):
    key = add_key(keys, "reader")
    with httpx.Client(base_url=url) as client:
        known(client, key)
        told = client.get("/openapi.json", headers=bearer(key)).json()
        assert set(told["components"]["securitySchemes"]) == {"bearer", "header"}
        opened = set()
        for path, item in told["paths"].items():
            for method, operation in item.items():
                answer = client.request(method, path.replace("{", "").replace("}", ""))
                if operation.get("security", told["security"]):
                    assert answer.status_code == 401, path
                else:
                    assert answer.status_code == 200, path
                    opened.add(path)
        assert opened == {"/", "/docs", "/health", "/ping", "/v2/health/live", "/v2/health/ready"}


def test_a_key_in_the_query_opens_nothing(url, keys):
    key = add_key(keys, "query")
    with httpx.Client(base_url=url) as client:
        known(client, key)
        for name in ("key", "api_key", "access_token", "X-API-Key"):
            assert client.post(f"/predict/churn?{name}={key}", json=ROW).status_code == 401


def test_a_key_is_for_its_models_over_every_protocol(url, keys):
    key = add_key(keys, "one-model", models=["churn"])
    with httpx.Client(base_url=url) as client:
        known(client, key)
        client.headers = bearer(key)
        for path, body in (
            ("/predict/delay", ROW),
            ("/v1/models/delay:predict", {"instances": [ROW]}),
            ("/predictions/delay", ROW),
            ("/v2/models/delay/infer", {"inputs": []}),
        ):
            answer = client.post(path, json=body)
            assert answer.status_code == 403, path
            assert "this key is not for 'delay'" in answer.json()["detail"]
        assert client.post("/predict/churn", json=ROW).status_code == 200


def test_a_key_that_is_revoked_is_refused_within_a_second_on_a_connection_that_stays_open(url, keys):
    key = add_key(keys, "leaver")
    other = add_key(keys, "stayer")
    with httpx.Client(base_url=url) as client, httpx.Client(base_url=url) as another:
        known(client, key)
        for _ in range(20):  # the same head again and again: it is remembered by its bytes
            assert ask(client, key) == 200
            assert ask(another, other) == 200
        revoke_key(keys, "leaver")
        until(lambda: ask(client, key) == 401)
        for _ in range(5):
            assert ask(client, key) == 401
            assert ask(another, other) == 200


def test_both_keys_are_taken_during_a_grace_and_only_then(url, keys):
    old = add_key(keys, "turning")
    with httpx.Client(base_url=url) as client:
        known(client, old)
        new = rotate_key(keys, "turning", grace=timedelta(seconds=3))
        given = time.monotonic()
        known(client, new)
        while time.monotonic() < given + 1.5:
            assert ask(client, old) == ask(client, new) == 200
        until(lambda: ask(client, old) == 401, seconds=given + 4 - time.monotonic())
        assert time.monotonic() > given + 1.9  # moments in the file are whole seconds
        assert ask(client, new) == 200


def test_a_key_expires_while_it_is_used(url, keys):
    key = add_key(keys, "guest", expires=timedelta(seconds=3))
    given = time.monotonic()
    with httpx.Client(base_url=url) as client:
        known(client, key)
        until(lambda: ask(client, key) == 401, seconds=4)
        assert time.monotonic() > given + 1.9


def test_requests_in_progress_finish_when_their_key_is_revoked(url, keys):
    key = add_key(keys, "batch")
    with httpx.Client(base_url=url, timeout=60) as client, concurrent.futures.ThreadPoolExecutor() as pool:
        known(client, key)
        body = json.dumps([ROW] * 60_000).encode()
        long = pool.submit(client.post, "/predict/churn", content=body, headers=bearer(key))
        with httpx.Client(base_url=url) as other:
            time.sleep(0.05)
            revoke_key(keys, "batch")
            until(lambda: ask(other, key) == 401)
        assert long.result().status_code == 200


def test_a_broken_file_shuts_nobody_out(start, ship, tmp_path):
    keys = tmp_path / "keys.json"
    key = add_key(keys, "a")
    says = r"the keys stay as they were: .* is not a key file.*\n"
    with guarded(start, keys, ship, says=says) as run, httpx.Client(base_url=run.url) as client:
        keys.write_text("{")
        for _ in range(15):
            assert ask(client, key) == 200
            time.sleep(0.1)


def flood(url: str, key: str, seconds: float, connections: int) -> list[tuple[float, httpx.Response, float]]:
    """Ask as fast as `connections` can, one after the other on each; return each answer between the moments."""

    def one(client: httpx.Client) -> list[tuple[float, httpx.Response, float]]:
        found = []
        while (asked := time.monotonic()) < end:
            found.append((asked, client.post("/predict/churn", json=ROW), time.monotonic()))
        return found

    with ExitStack() as stack:
        clients = [
            stack.enter_context(httpx.Client(base_url=url, headers=bearer(key), verify=False))
            for _ in range(connections)
        ]
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(connections))
        end = time.monotonic() + seconds
        return [answer for part in pool.map(one, clients) for answer in part]


@pytest.mark.parametrize(("workers", "connections"), [(1, 1), (2, 1), (2, 8)])
def test_the_rate_of_a_key_holds_over_all_workers(start, ship, tmp_path, workers, connections):
    keys = tmp_path / "keys.json"
    rate, burst, seconds = 30.0, 30, 2.0
    key = add_key(keys, "a", rate=rate, burst=burst)
    free = add_key(keys, "b")
    with guarded(start, keys, ship, workers=workers) as run:
        answers = flood(run.url, key, seconds, connections)
        allowed = [answer for _, answer, _ in answers if answer.status_code == 200]
        refused = [answer for _, answer, _ in answers if answer.status_code != 200]
        asked, ended = min(asked for asked, _, _ in answers), max(ended for _, _, ended in answers)
        assert len(allowed) <= burst + rate * (ended - asked) + workers - 1
        # A refusal means that all the time until then had been spent, however slow this machine is.
        first = min(ended for _, _, ended in answers)
        spent = max(asked for asked, answer, _ in answers if answer.status_code != 200)
        assert len(allowed) >= burst + rate * (spent - first) - 1
        assert len(refused) > 10
        for answer in refused:
            assert answer.status_code == 429
            assert answer.headers["retry-after"] == "1"
            assert answer.headers["ratelimit-policy"] == '"key";q=30;w=1'
            assert answer.headers["ratelimit"] == '"key";r=0;t=1'
            assert answer.json()["title"] == "Too Many Requests"
        with httpx.Client(base_url=run.url) as client:
            assert ask(client, free) == 200
            assert client.get("/health").status_code == 200
            time.sleep(1)
            assert ask(client, key) == 200


class Authority:
    """Signs certificates for TLS, of servers and of clients."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        self.path = folder / "authority.pem"
        self.path.write_bytes(self._sign(self._name, self._key, authority=True))

    def issue(self, name: str, *others: x509.GeneralName) -> tuple[Path, Path]:
        """Return the paths of a certificate and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate, path = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        certificate.write_bytes(self._sign(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key, *others))
        form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
        return certificate, path

    def _sign(self, subject, key, *others, authority=False) -> bytes:
        now = datetime.now(UTC)
        made = x509.CertificateBuilder(subject_name=subject, issuer_name=self._name, public_key=key.public_key())
        made = made.serial_number(x509.random_serial_number())
        made = made.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        if others:
            made = made.add_extension(x509.SubjectAlternativeName(others), critical=False)
        made = made.not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(9))
        return made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_a_client_is_known_by_its_certificate(start, ship, regression_ship, tmp_path):
    keys = tmp_path / "keys.json"
    authority = Authority(tmp_path)
    server = authority.issue("server", x509.IPAddress(ip_address("127.0.0.1")))
    shown = {
        "billing": authority.issue("billing"),
        "claims": authority.issue("any", x509.UniformResourceIdentifier("spiffe://acme/claims")),
        "stranger": authority.issue("stranger"),
    }
    assert add_key(keys, "billing", certificate="billing", models=["churn"]) == ""
    add_key(keys, "claims", certificate="spiffe://acme/claims", rate=0.01, burst=3)
    key = add_key(keys, "holder", models=["delay"])

    def client(who: str) -> httpx.Client:
        context = ssl.create_default_context(cafile=authority.path)
        context.load_cert_chain(*shown[who])
        return stack.enter_context(httpx.Client(base_url=run.url, verify=context))

    def status(of: httpx.Client, model: str = "churn", **headers: str) -> int:
        return of.post(f"/predict/{model}", json=ROW, headers=headers).status_code

    with ExitStack() as stack:
        pems = dict(zip(("tls_cert", "tls_key", "tls_client_ca"), map(str, (*server, authority.path)), strict=True))
        run = stack.enter_context(guarded(start, keys, ship, regression_ship, **pems))
        billing, claims, stranger = map(client, shown)
        for _ in range(3):  # one head, byte for byte: whose it is hangs on the connection
            assert status(billing) == 200
            assert status(stranger) == 401
            assert status(claims) == 200
        assert status(claims) == 429
        assert status(billing) == 200
        assert status(billing, "delay") == 403
        for _ in range(3):  # a key that is sent stands before the certificate
            assert status(stranger, "delay", **bearer(key)) == 200
            assert status(billing, "churn", **bearer(key)) == 403
            assert status(billing, "churn", **bearer(key[:-1])) == 401
        assert stranger.get("/health").status_code == 200
        revoke_key(keys, "billing")
        until(lambda: status(billing) == 401)


def test_workers_and_the_admin_listener_take_a_change_up(start, ship, tmp_path):
    keys = tmp_path / "keys.json"
    usual, ops = add_key(keys, "a"), add_key(keys, "ops", admin=True)
    with guarded(start, keys, ship, workers=2, admin_port=0) as run, ExitStack() as stack:
        clients = [stack.enter_context(httpx.Client(base_url=run.url)) for _ in range(8)]  # some to each worker
        admin = stack.enter_context(httpx.Client(base_url=run.addresses.admin))
        assert all(ask(client, key) == 200 for client in clients for key in (usual, ops))
        assert [admin.get("/metrics", headers=bearer(key)).status_code for key in (usual, ops)] == [403, 200]
        assert admin.get("/metrics").status_code == 401
        revoke_key(keys, "ops")
        until(lambda: all(ask(client, ops) == 401 for client in clients))
        until(lambda: admin.get("/metrics", headers=bearer(ops)).status_code == 401)
        assert all(ask(client, usual) == 200 for client in clients)


def test_nothing_tells_a_key(url, keys):
    """Neither an answer to whom it belongs nor one to whom it does not holds any of it."""
    key = add_key(keys, "quiet", models=["churn"])
    digest = json.loads(keys.read_text())["keys"][-1]["secrets"][0]["sha256"]
    with httpx.Client(base_url=url) as client:
        known(client, key)
        for path in ("/predict/churn", "/predict/delay", "/predict/nobody", "/openapi.json", "/", "/health"):
            for sent in (key, f"{key}x"):
                answer = client.post(path, content=b"{", headers=bearer(sent))
                answer = client.get(path, headers=bearer(sent)) if answer.status_code == 405 else answer
                told = answer.text + str(answer.headers)
                assert key not in told
                assert digest not in told
