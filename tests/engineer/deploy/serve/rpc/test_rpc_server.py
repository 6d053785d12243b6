"""What gRPC shares with HTTP: limits, keys, onlookers, swaps, an orderly end; and its own: TLS, health checks."""

import asyncio
import datetime
import socket
import ssl
import subprocess
import sys
import time

import grpc
import grpc.aio
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shiplap.core.errors import InputError
from shiplap.engineer.deploy.serve import Limits
from shiplap.engineer.deploy.serve.access import AccessGuard, add_key
from shiplap.engineer.deploy.serve.http.tls import Tls
from shiplap.engineer.deploy.serve.models.fleet import Fleet
from shiplap.engineer.deploy.serve.rpc.library import message
from shiplap.engineer.deploy.serve.rpc.place import reserve

INFER = "/inference.GRPCInferenceService/ModelInfer"
ROW = {"name": "age", "datatype": "FP64", "shape": [1], "contents": {"fp64_contents": [41.0]}}
TOLD = message("grpc.health.v1.HealthCheckResponse")


def health(talk, service=""):
    asked = "grpc.health.v1.HealthCheckRequest"
    call = talk.method("/grpc.health.v1.Health/Check", asked, "grpc.health.v1.HealthCheckResponse")
    return call(message(asked)(service=service))


def test_probes_learn_how_the_server_is(talk, ship, refusal):
    async def scenario(talk):
        for service in ("", "inference.GRPCInferenceService", "tensorflow.serving.PredictionService"):
            assert (await health(talk, service)).status == TOLD.SERVING
        assert (await refusal(health(talk, "no"))).code() is grpc.StatusCode.NOT_FOUND
        told = await refusal(talk.channel.unary_unary("/grpc.health.v1.Health/Check")(b"\xff"))
        assert told.code() is grpc.StatusCode.INVALID_ARGUMENT
        watch = talk.channel.unary_stream("/grpc.health.v1.Health/Watch", response_deserializer=TOLD.FromString)
        told = [watch(b""), watch(message("grpc.health.v1.HealthCheckRequest")(service="no").SerializeToString())]
        assert [(await each.read()).status for each in told] == [TOLD.SERVING, TOLD.SERVICE_UNKNOWN]
        talk.server.draining = True
        assert (await health(talk)).status == TOLD.NOT_SERVING
        start = time.monotonic()
        ending = asyncio.create_task(talk.rpc.drain())
        assert [(await each.read()).status for each in told] == [TOLD.NOT_SERVING, TOLD.SERVICE_UNKNOWN]
        await ending
        assert time.monotonic() - start < 5

    talk(scenario, ship)


def test_a_message_larger_than_a_body_is_refused(talk, ship, refusal):
    async def scenario(talk):
        ask = talk.channel.unary_unary(INFER)
        told = await refusal(ask(bytes(10_001)))
        assert told.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        packed = await refusal(ask(bytes(5_000_000), compression=grpc.Compression.Gzip))  # 5 kB on the wire
        assert packed.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert (await talk.ask("ModelInfer", inputs=[ROW])).outputs

    talk(scenario, ship, limits=Limits(body_bytes=10_000))


@pytest.mark.parametrize("limit", [2_000, 20_000])
def test_more_metadata_than_headers_may_have_is_refused(talk, ship, refusal, limit):
    async def scenario(talk):
        ask = talk.channel.unary_unary("/inference.GRPCInferenceService/ServerLive")
        assert await ask(b"", metadata=(("x", "y" * (limit - 1_000)),))
        told = await refusal(ask(b"", metadata=(("x", "y" * limit),)))
        assert told.code() is grpc.StatusCode.RESOURCE_EXHAUSTED

    talk(scenario, ship, limits=Limits(header_bytes=limit))


def test_a_client_that_never_sends_its_message_is_cut_off(talk, ship, refusal):
    async def scenario(talk):
        stream = talk.channel.stream_unary(INFER)()  # the same on the wire as one message
        start = time.monotonic()
        told = await refusal(stream)
        assert told.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert "did not come within 0.5 seconds" in told.details()
        assert time.monotonic() - start < 5
        empty = talk.channel.stream_unary(INFER)()
        await empty.done_writing()
        assert (await refusal(empty)).details() == "a message is expected"

    talk(scenario, ship, limits=Limits(read_s=0.5))


def test_one_connection_may_ask_as_much_at_once_as_the_limit_is(talk, ship):
    async def scenario(talk):
        for _ in range(3):
            told = await asyncio.gather(*(talk.ask("ModelInfer", inputs=[ROW]) for _ in range(200)))
            assert len({each.outputs[1].contents.fp64_contents[0] for each in told}) == 1

    talk(scenario, ship)


def test_more_rpcs_than_the_limit_are_refused(talk, ship, refusal):
    async def scenario(talk):
        idle = [talk.channel.stream_stream("/inference.GRPCInferenceService/ModelStreamInfer")() for _ in range(2)]
        await asyncio.sleep(0.2)
        assert (await refusal(talk.ask("ServerLive"))).code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        idle[0].cancel()
        await asyncio.sleep(0.2)
        assert (await talk.ask("ServerLive")).live
        idle[1].cancel()

    talk(scenario, ship, limits=Limits(connections=2))


def test_keys_are_asked_for_as_over_http(talk, ship, regression_ship, refusal, tmp_path):
    key = add_key(tmp_path / "keys.json", "ann", models=["churn"], rate=0.1, burst=3)

    async def scenario(talk):
        asked = message("inference.ModelInferRequest")(model_name="churn", inputs=[ROW]).SerializeToString()
        other = message("inference.ModelInferRequest")(model_name="delay", inputs=[ROW]).SerializeToString()
        ask = talk.channel.unary_unary(INFER)
        assert (await health(talk)).status == TOLD.SERVING
        assert (await talk.ask("ServerReady")).ready
        for strange in ((), (("x-api-key", "7"),)):
            assert (await refusal(ask(asked, metadata=strange))).code() is grpc.StatusCode.UNAUTHENTICATED
        assert await ask(asked, metadata=(("authorization", f"Bearer {key}"),))
        known = {"metadata": (("x-api-key", key),)}
        assert await ask(asked, **known)
        assert (await refusal(ask(other, **known))).code() is grpc.StatusCode.PERMISSION_DENIED
        told = await refusal(ask(asked, **known))
        assert told.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert int(dict(told.trailing_metadata())["grpc-retry-pushback-ms"]) >= 1_000
        stream = talk.channel.stream_stream("/inference.GRPCInferenceService/ModelStreamInfer")
        assert (await refusal(stream(iter(())).read())).code() is grpc.StatusCode.UNAUTHENTICATED
        answers = [each async for each in stream(iter([asked]), **known)]
        refused = message("inference.ModelStreamInferResponse").FromString(answers[0])  # each message counts
        assert refused.error_message == told.details()

    talk(scenario, ship, regression_ship, guard=AccessGuard(tmp_path / "keys.json"))


class Onlooker:
    def __init__(self):
        self.seen, self.refused = [], []

    def answered(self, exchange, status, size_bytes):
        head, hosted = exchange.head, exchange.hosted
        what = (head.route.protocol, head.path.rpartition("/")[2], status, hosted and hosted.name, exchange.rows)
        self.seen.append((*what, exchange.line.client, exchange.id, size_bytes > 0))
        if exchange.reason:
            self.refused.append((what[1], status, exchange.reason))


def test_an_observer_and_a_tap_see_rpcs_as_they_see_requests(talk, ship, refusal):
    observer, tapped = Onlooker(), []

    class Tap:
        def take(self, *passed):
            tapped.append(passed)

    async def scenario(talk):
        for hosted in talk.rpc.fleet.hosted:
            hosted.tap(Tap())
        two = {**ROW, "shape": [2], "contents": {"fp64_contents": [1.0, 2.0]}}
        asked = message("inference.ModelInferRequest")(inputs=[two]).SerializeToString()
        call = talk.channel.unary_unary(INFER)(asked, metadata=(("x-request-id", "mine-7"),))
        await call
        assert dict(await call.trailing_metadata())["x-request-id"] == "mine-7"
        await talk.ask("ServerLive")
        await refusal(talk.ask("ModelInfer", model_name="chum"))

    talk(scenario, ship, observer=observer)
    assert [each[:6] for each in observer.seen] == [
        ("grpc", "ModelInfer", 200, "churn", 2, "127.0.0.1"),
        ("grpc", "ServerLive", 200, None, 1, "127.0.0.1"),
        ("grpc", "ModelInfer", 404, None, 1, "127.0.0.1"),
    ]
    assert observer.seen[0][6:] == ("mine-7", True)
    assert len({each[6] for each in observer.seen}) == 3
    assert len(tapped) == 1


def test_a_client_that_goes_away_is_seen_as_gone(talk, make, tmp_path):
    observer = Onlooker()
    dear = make(tmp_path / "dear.ship", name="dear", repeats=150)

    async def scenario(talk):
        first, second = (asyncio.ensure_future(talk.ask("ModelInfer", inputs=[ROW])) for _ in range(2))
        while talk.server.count < 2:
            await asyncio.sleep(0)
        await asyncio.sleep(0.01)
        second.cancel()
        assert (await first).outputs
        await asyncio.sleep(0.2)

    talk(scenario, dear, observer=observer, limits=Limits(wait_ms=20_000))
    assert sorted(each[2] for each in observer.seen) == [200, 499]


def test_a_swap_fails_no_request(talk, ship, make, tmp_path):
    """One client asks without a pause while what is served changes again and again."""
    other = make(tmp_path / "other.ship", repeats=1)

    async def scenario(talk):
        (service,) = talk.rpc.fleet.services.values()
        first, second = (Fleet({"churn": service._replace(versions=(each,))}) for each in service.versions)
        stop, versions = asyncio.Event(), set()

        async def ask():
            while not stop.is_set():
                versions.add((await talk.ask("ModelInfer", model_name="churn", inputs=[ROW])).model_version)

        clients = [asyncio.create_task(ask()) for _ in range(4)]
        for _ in range(30):
            for fleet in (first, second):
                talk.rpc.swap(fleet)
                await asyncio.sleep(0.01)
        stop.set()
        await asyncio.gather(*clients)
        assert versions == {each.version for each in service.versions}

    talk(scenario, ship, other)


def test_an_unexpected_error_is_told_by_its_id_alone(talk, ship, refusal, capfd, monkeypatch):
    async def scenario(talk):
        for hosted in talk.rpc.fleet.hosted:
            monkeypatch.setattr(hosted.answers, "columns", lambda outputs: 1 / 0)
        told = await refusal(talk.ask("ModelInfer", inputs=[ROW]))
        assert told.code() is grpc.StatusCode.INTERNAL
        assert told.details() == "an unexpected error; it is logged under its id"
        return dict(told.trailing_metadata())["x-request-id"]

    own_id = talk(scenario, ship)
    written = capfd.readouterr().err
    assert f"error {own_id} in '{INFER}'" in written
    assert "ZeroDivisionError" in written


def test_draining_answers_what_was_asked_and_ends_streams(talk, make, tmp_path, refusal):
    """A dear model is still at work when the server is told to stop."""
    dear, observer = make(tmp_path / "dear.ship", name="dear", repeats=60), Onlooker()

    async def scenario(talk):
        stream = talk.channel.stream_stream("/inference.GRPCInferenceService/ModelStreamInfer")()
        await stream.write(message("inference.ModelInferRequest")(inputs=[ROW]).SerializeToString())
        assert await stream.read()
        asked = [asyncio.ensure_future(talk.ask("ModelInfer", inputs=[ROW])) for _ in range(2)]
        await asyncio.sleep(0.05)
        start = time.monotonic()
        await talk.rpc.drain()
        assert time.monotonic() - start < 10
        assert all(told.outputs for told in await asyncio.gather(*asked))
        told = await refusal(stream.read())
        assert told.code() is grpc.StatusCode.UNAVAILABLE
        assert told.details() == "the server is stopping"
        with pytest.raises(grpc.aio.AioRpcError):
            await talk.ask("ServerLive")
        assert ("ModelStreamInfer", 503, "stopping") in observer.refused

    talk(scenario, dear, observer=observer, limits=Limits(wait_ms=20_000))


def certified(name, issuer=None):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[1].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(issuer[0] if issuer else key, hashes.SHA256())
    )
    return key, built


def pem(pair):
    key, certificate = pair
    form = serialization.Encoding.PEM
    private = key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private, certificate.public_bytes(form)


@pytest.fixture
def authority():
    return certified("authority")


@pytest.fixture
def tls(authority, tmp_path):
    """Make a Tls whose certificate is named, for clients of the authority where that is asked."""

    def make(name="server", *, mutual=False):
        key, chain = pem(certified(name, authority))
        for file, content in (("key", key), ("chain", chain), ("root", pem(authority)[1])):
            (tmp_path / file).write_bytes(content)
        return Tls(tmp_path / "chain", tmp_path / "key", tmp_path / "root" if mutual else None)

    return make


def secured(talk, authority, client=None):
    pair = pem(certified(client, authority)) if client else (None, None)
    credentials = grpc.ssl_channel_credentials(pem(authority)[1], *pair)
    names = (("grpc.ssl_target_name_override", "localhost"), ("grpc.use_local_subchannel_pool", 1))
    return grpc.aio.secure_channel(talk.place, credentials, options=names)


@pytest.mark.parametrize("mutual", [False, True])
def test_tls_and_client_certificates(talk, ship, refusal, authority, tls, mutual, capfd):
    async def scenario(talk):
        for client, expected in ((None, not mutual), ("client", True)):
            async with secured(talk, authority, client) as channel:
                ask = channel.unary_unary("/inference.GRPCInferenceService/ServerLive")
                if expected:
                    assert message("inference.ServerLiveResponse").FromString(await ask(b"")).live
                else:
                    assert (await refusal(ask(b""))).code() is grpc.StatusCode.UNAVAILABLE
        assert (await refusal(talk.ask("ServerLive"))).code() is grpc.StatusCode.UNAVAILABLE  # not without TLS

    talk(scenario, ship, tls=tls(mutual=mutual))
    assert capfd.readouterr().err == ""  # that somebody knocks in vain is no news


def test_a_certificate_that_changes_is_shown_after_it_was_reloaded(talk, ship, authority, tls):
    names = []
    shown = tls("first")

    async def scenario(talk):
        for reload in (False, True):
            if reload:
                tls("second")
                shown.reload()
            names.append(await asyncio.to_thread(presented, talk.place, pem(authority)[1]))

    def presented(place, root):
        context = ssl.create_default_context(cadata=root.decode())
        context.set_alpn_protocols(["h2"])
        host, _, port = place.rpartition(":")
        plain = socket.create_connection((host, int(port)), timeout=10)
        with context.wrap_socket(plain, server_hostname="localhost") as client:
            return dict(part[0] for part in client.getpeercert()["subject"])["commonName"]

    talk(scenario, ship, tls=shown)
    assert names == ["first", "second"]


def test_a_guard_knows_a_client_by_its_certificate(talk, ship, refusal, authority, tls, tmp_path):
    add_key(tmp_path / "keys.json", "billing", certificate="known")

    async def scenario(talk):
        asked = message("inference.ModelInferRequest")(model_name="churn", inputs=[ROW]).SerializeToString()
        async with secured(talk, authority, "known") as channel:
            assert await channel.unary_unary(INFER)(asked)
        async with secured(talk, authority, "stranger") as channel:
            assert (await refusal(channel.unary_unary(INFER)(asked))).code() is grpc.StatusCode.UNAUTHENTICATED

    talk(scenario, ship, tls=tls(mutual=True), guard=AccessGuard(tmp_path / "keys.json"))


def test_a_port_that_is_taken_is_refused_and_a_reserved_one_is_shared():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(InputError, match="already in use"):
        reserve("127.0.0.1", taken.getsockname()[1])
    with reserve("127.0.0.1", 0) as held:
        chosen = held.getsockname()[1]
        with pytest.raises(ConnectionRefusedError):  # it does not listen, so it takes no connection from those who do
            socket.create_connection(("127.0.0.1", chosen), timeout=1)
        with socket.create_server(("127.0.0.1", chosen), reuse_port=True):
            socket.create_connection(("127.0.0.1", chosen), timeout=1).close()


def test_workers_share_the_port_and_end_without_a_word(start, ship, scorer):
    """Each connection may meet another worker; what they answered is counted together."""
    asked = message("inference.ModelInferRequest")(inputs=[ROW]).SerializeToString()
    expected = scorer.predict_row({"age": 41}).probabilities
    with start(ship, workers=2, grpc_port=0, admin_port=0) as run:
        for _ in range(8):
            with grpc.insecure_channel(run.addresses.grpc, (("grpc.use_local_subchannel_pool", 1),)) as channel:
                told = message("inference.ModelInferResponse").FromString(channel.unary_unary(INFER)(asked, timeout=20))
            assert list(told.outputs[1].contents.fp64_contents) == pytest.approx(expected, rel=1e-14)
        answer = httpx.post(f"{run.url}/predict", json={"age": 41}).json()["probabilities"]
        assert tuple(answer.values()) == pytest.approx(expected, rel=1e-14)
        counted = [line for line in httpx.get(f"{run.addresses.admin}/metrics").text.splitlines() if '"grpc"' in line]
        assert f'model="churn",protocol="grpc",status="200",version="{scorer.ship.id[:12]}"}} 8.0' in counted[0]
        assert run.stop() == ""
        assert run.process.returncode == 0


def test_serving_does_not_import_grpc_and_says_how_to_get_it():
    code = """
import sys
import shiplap.engineer.deploy.serve.serve, shiplap.cli.serve
from shiplap.engineer.deploy.serve.rpc.place import reserve
assert not {"grpc", "google.protobuf"} & sys.modules.keys()
sys.modules["grpc"] = None
try:
    import shiplap.engineer.deploy.serve.rpc.server
except Exception as error:
    print(error)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == 'gRPC needs a library that is not installed (pip install "shiplap[grpc]")\n'
