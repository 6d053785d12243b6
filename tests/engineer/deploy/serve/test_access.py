"""Keys at a real server, with real clients: who is let in, for what, how often, and until when."""

import concurrent.futures
import json
import os
import re
import select
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shiplap.engineer.deploy.serve.access import add_key, revoke_key, rotate_key

ROW = {"age": 41, "plan": "basic", "since": "2013-03-01", "paid": True}

# What a worker does with a guard, and nothing besides.
GUARDED = """
import asyncio, os, signal, sys
from pathlib import Path
import uvloop
from shiplap.engineer.deploy.serve.access import AccessGuard
from shiplap.engineer.deploy.serve.control.controller import roster_of
from shiplap.engineer.deploy.serve.control.sources import Sources
from shiplap.engineer.deploy.serve.control.station import Station
from shiplap.engineer.deploy.serve.http.listener import address_of, listen, listen_many
from shiplap.engineer.deploy.serve.http.server import Server
from shiplap.engineer.deploy.serve.http.tls import Tls
from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.models.jobs import Jobs
from shiplap.engineer.deploy.serve.site import make_routes

keys, workers, pems, ships = sys.argv[1], int(sys.argv[2]), sys.argv[3].split(), sys.argv[4:]
limits = Limits()
guard = AccessGuard(keys, workers=workers)
listeners = listen_many("127.0.0.1", 0, workers) if workers > 1 else [listen("127.0.0.1", 0)]

async def run(worker):
    station = Station(limits, Jobs(most=limits.queue))
    sources = Sources(None, None)
    station.commit(roster_of([sources.find(ship) for ship in ships]))
    guard.count_as(worker)
    tls = Tls(*map(Path, pems)) if pems else None
    server = Server(make_routes(station.fleet, limits), limits, guard=guard, tls=tls)
    guard.watch(server.forget)
    await server.start(listeners[worker])
    os.write(told, b".")
    if not worker:
        for _ in range(workers):
            os.read(ready, 1)
        print(address_of(listeners[0], secure=bool(pems)), flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await server.drain()
    station.close()
    for listener in listeners:
        listener.close()

ready, told = os.pipe()
children = []
for worker in range(1, workers):
    child = os.fork()
    if not child:
        children = []
        break
    children.append(child)
else:
    worker = 0
with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(run(worker))
for child in children:
    os.kill(child, signal.SIGTERM)
    os.waitpid(child, 0)
"""


@contextmanager
def guarded(keys: Path, *ships: Path, workers: int = 1, says: str = "", pems: Sequence[Path] = ()) -> Iterator[str]:
    """Run a server that asks for keys; `says` is what it writes to standard error, `pems` are the files of TLS."""
    process = subprocess.Popen(
        [sys.executable, "-c", GUARDED, str(keys), str(workers), " ".join(map(str, pems)), *map(str, ships)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "error"},
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        assert select.select([process.stdout], [], [], 60)[0], "the server did not start"
        url = process.stdout.readline().strip()
        assert url, process.communicate()[1]
        yield url
        process.send_signal(signal.SIGTERM)
        assert re.fullmatch(says, process.communicate(timeout=20)[1])
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.fixture(scope="module")
def keys(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("keys") / "keys.json"


@pytest.fixture(scope="module")
def url(keys, ship, regression_ship) -> Iterator[str]:
    add_key(keys, "first")
    with guarded(keys, ship, regression_ship) as url:
        yield url


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


def test_a_broken_file_shuts_nobody_out(ship, tmp_path):
    keys = tmp_path / "keys.json"
    key = add_key(keys, "a")
    says = r"the keys stay as they were: .* is not a key file.*\n"
    with guarded(keys, ship, says=says) as url, httpx.Client(base_url=url) as client:
        keys.write_text("{")
        for _ in range(15):
            assert ask(client, key) == 200
            time.sleep(0.1)


def flood(url: str, key: str, seconds: float, connections: int) -> tuple[list[httpx.Response], float]:
    """Ask as fast as `connections` can, one after the other on each; return the answers, and how long it took."""

    def one(client: httpx.Client) -> list[httpx.Response]:
        found = []
        while time.monotonic() < end:
            found.append(client.post("/predict/churn", json=ROW))
        return found

    with ExitStack() as stack:
        clients = [
            stack.enter_context(httpx.Client(base_url=url, headers=bearer(key), verify=False))
            for _ in range(connections)
        ]
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(connections))
        start = time.monotonic()
        end = start + seconds
        return [answer for part in pool.map(one, clients) for answer in part], time.monotonic() - start


@pytest.mark.parametrize(("workers", "connections"), [(1, 1), (2, 1), (2, 8)])
def test_the_rate_of_a_key_holds_over_all_workers(ship, tmp_path, workers, connections):
    keys = tmp_path / "keys.json"
    rate, burst, seconds = 60.0, 10, 2.0
    key = add_key(keys, "a", rate=rate, burst=burst)
    free = add_key(keys, "b")
    with guarded(keys, ship, workers=workers) as url:
        answers, took = flood(url, key, seconds, connections)
        allowed = [answer for answer in answers if answer.status_code == 200]
        refused = [answer for answer in answers if answer.status_code != 200]
        assert 0.9 * (burst + rate * seconds) <= len(allowed) <= burst + rate * took + workers - 1
        assert len(refused) > 10
        for answer in refused:
            assert answer.status_code == 429
            assert answer.headers["retry-after"] == "1"
            assert answer.headers["ratelimit-policy"] == '"key";q=10;w=1'
            assert answer.headers["ratelimit"] == '"key";r=0;t=1'
            assert answer.json()["title"] == "Too Many Requests"
        with httpx.Client(base_url=url) as client:
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


def test_a_client_is_known_by_its_certificate(ship, regression_ship, tmp_path):
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
        return stack.enter_context(httpx.Client(base_url=url, verify=context))

    def status(of: httpx.Client, model: str = "churn", **headers: str) -> int:
        return of.post(f"/predict/{model}", json=ROW, headers=headers).status_code

    with ExitStack() as stack:
        url = stack.enter_context(guarded(keys, ship, regression_ship, pems=(*server, authority.path)))
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
