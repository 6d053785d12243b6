"""The verb with all that an operator may choose at one time: keys, TLS, gRPC, metrics, log, records, workers."""

import json
import os
import signal
import ssl
import subprocess
import time

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from shiplap.core.store import open_store
from shiplap.engineer.deploy.serve.access import add_key, revoke_key

ROW = {"age": 41, "plan": "basic", "since": "2013-03-01", "paid": True}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of this machine, made by OpenSSL, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "2"]
    subprocess.run([*command, *names, "-keyout", key, "-out", cert], check=True, capture_output=True)
    return cert, key


def waited(true, what: str) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_all_of_it_together(start, ship, tmp_path, certificate):
    cert, key = certificate
    with open_store(tmp_path):
        pass
    keys, log = tmp_path / "keys.json", tmp_path / "access.log"
    ann = add_key(keys, "ann")
    operator = add_key(keys, "operator", admin=True)
    stranger = add_key(keys, "stranger", models=["another"])
    chosen = {
        "workers": 2,
        "admin_port": 0,
        "grpc_port": 0,
        "keys": str(keys),
        "tls_cert": str(cert),
        "tls_key": str(key),
        "access_log": str(log),
        "project": str(tmp_path),
        "record_share": 1.0,
    }
    trust = ssl.create_default_context(cafile=str(cert))
    with start(ship, **chosen) as run:
        assert run.url.startswith("https://")
        clients = [httpx.Client(verify=trust, headers={"Authorization": f"Bearer {ann}"}) for _ in range(8)]
        ids = []
        for client in clients:
            for _ in range(5):
                answer = client.post(f"{run.url}/predict", json=ROW)
                assert answer.status_code == 200
                ids.append(answer.headers["x-request-id"])
        assert len(set(ids)) == 40
        assert httpx.post(f"{run.url}/predict", json=ROW, verify=trust).status_code == 401
        for method, path in (("POST", "/predict"), ("GET", "/v2/models/churn"), ("GET", "/v1/models/churn/metadata")):
            answer = httpx.request(method, run.url + path, headers={"X-API-Key": stranger}, json=ROW, verify=trust)
            assert answer.status_code == 403, path
        assert clients[0].get(run.addresses.admin + "/fleet").status_code == 403

        grpc = pytest.importorskip("grpc")
        channel = grpc.secure_channel(run.addresses.grpc, grpc.ssl_channel_credentials(cert.read_bytes()))
        live = channel.unary_unary("/inference.GRPCInferenceService/ServerLive")
        assert live(b"", timeout=20) == b"\x08\x01"
        channel.close()

        outcomes = [{"id": each, "outcome": "yes"} for each in ids]
        told = clients[0].post(f"{run.url}/outcomes", json=outcomes).json()
        assert (told["accepted"], told["new"]) == (40, 40)

        admin = httpx.Client(verify=trust, headers={"X-API-Key": operator})
        counted = {}
        for family in text_string_to_metric_families(admin.get(run.addresses.admin + "/metrics").text):
            for sample in family.samples:
                if sample.name.endswith("requests_total"):
                    place = (sample.labels.get("protocol"), sample.labels.get("status"))
                    counted[place] = counted.get(place, 0) + sample.value
        assert counted["predict", "200"] == 40
        assert counted["outcomes", "200"] == 1
        assert 'shiplap_record_lost_total{worker="1"} 0' in admin.get(run.addresses.admin + "/metrics").text

        revoke_key(keys, "ann")
        waited(lambda: clients[0].get(f"{run.url}/v2/models/churn").status_code == 401, "revoked")

        log.rename(tmp_path / "old.log")
        run.process.send_signal(signal.SIGHUP)
        waited(log.exists, "a new log")
        admin.get(f"{run.url}/v2/models/churn")
        for client in (*clients, admin):
            client.close()
        assert run.stop() == ""
    lines = [json.loads(line) for line in (tmp_path / "old.log").read_text().splitlines()]
    assert sum(line["path"] == "/predict" and line["status"] == 200 for line in lines) == 40
    assert {line["key"] for line in lines if line["status"] == 200 and line["path"] == "/predict"} == {"ann"}
    assert ann not in (tmp_path / "old.log").read_text() + log.read_text()
    with open_store(tmp_path) as store:
        kept = list(store.predictions.rows("churn"))
        assert {each.id for each in kept} == set(ids)


def test_a_unix_socket_and_two_workers(start, ship, tmp_path):
    path = tmp_path / "churn.sock"
    with start(ship, unix=str(path), workers=2) as run:
        assert run.url == f"unix:{path}"
        assert path.stat().st_mode & 0o777 == 0o600
        for _ in range(6):
            with httpx.Client(transport=httpx.HTTPTransport(uds=str(path))) as client:
                assert client.post("http://churn/predict", json=ROW).json()["prediction"] == "no"
        assert run.stop() == ""
    assert not path.exists()


def test_what_cannot_be_had_is_one_line(ship, tmp_path):
    from shiplap.core.errors import InputError  # noqa: PLC0415
    from shiplap.engineer.deploy.serve import serve  # noqa: PLC0415

    for chosen, said in (
        ({"keys": str(tmp_path / "none.json")}, "none.json"),
        ({"tls_cert": "none.pem", "tls_key": "none.pem"}, "none.pem"),
        ({"tls_cert": "none.pem"}, "needed together"),
        ({"access_log": str(tmp_path / "no" / "where.log")}, "where.log"),
        ({"repository": "nowhere"}, "no folder"),
        ({"workers": 0}, "1 to 256 workers"),
        ({"record_share": 2}, "from 0 to 1"),
        ({"unix": str(tmp_path)}, str(tmp_path)),
    ):
        with pytest.raises(InputError) as caught:
            serve(ship, port=0, **chosen)
        assert said in str(caught.value)
        assert os.linesep not in str(caught.value)
