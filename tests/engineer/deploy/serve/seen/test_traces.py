"""W3C Trace Context, and spans as a collector of OpenTelemetry gets them."""

import gzip
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from shiplap.core.errors import InputError
from shiplap.engineer.deploy.serve.http.exchange import Head, Route
from shiplap.engineer.deploy.serve.http.trace import parse_traceparent
from shiplap.engineer.deploy.serve.seen.answered import Answered
from shiplap.engineer.deploy.serve.seen.spans import Sampler, Spans

ROW = b'{"age": 41, "plan": "basic"}'
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED, NOT_SAMPLED = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"


class Collector:
    """A receiver of OTLP over HTTP."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.requests: list[ExportTraceServiceRequest] = []
        self.status = 200

    @property
    def spans(self) -> list:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@contextmanager
def collecting() -> Iterator[Collector]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert (self.path, self.headers["Content-Type"]) == ("/v1/traces", "application/x-protobuf")
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            answer = ExportTraceServiceResponse().SerializeToString()
            if collector.status == 200:
                collector.requests.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(collector.status)
            self.send_header("Content-Type", "application/x-protobuf")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def attributes(span) -> dict:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SAMPLED, (TRACE, PARENT, True)),
        (NOT_SAMPLED, (TRACE, PARENT, False)),
        (f" {SAMPLED}\t", (TRACE, PARENT, True)),
        (f"00-{TRACE}-{PARENT}-03", (TRACE, PARENT, True)),
        (f"00-{TRACE}-{PARENT}-02", (TRACE, PARENT, False)),
        (f"cc-{TRACE}-{PARENT}-01", (TRACE, PARENT, True)),
        (f"cc-{TRACE}-{PARENT}-01-what-the-future-holds", (TRACE, PARENT, True)),
        (f"cc-{TRACE}-{PARENT}-01.", None),
        (f"00-{TRACE}-{PARENT}-01-more", None),
        (f"ff-{TRACE}-{PARENT}-01", None),
        (f"00-{'0' * 32}-{PARENT}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-{PARENT}-01", None),
        (f"00-{TRACE}-{PARENT}-0", None),
        (f"00-{TRACE[1:]}-{PARENT}-01", None),
        (f"00-{TRACE}-{PARENT}-01, 00-{TRACE}-{PARENT}-01", None),
        (f"00-{TRACE}-{PARENT}-01\n", None),
        ("", None),
    ],
)
def test_a_traceparent_is_read_as_the_standard_says(text, expected):
    found = parse_traceparent(text)
    assert found == expected if expected is None else tuple(found) == expected


def test_an_error_of_ours_names_the_trace(watch, ship):
    with watch(ship) as server:
        traced = httpx.get(f"{server.url}/broken", headers={"traceparent": SAMPLED})
        other = httpx.get(f"{server.url}/broken", headers={"traceparent": "nonsense"})
        _, err = server.stop()
    assert traced.status_code == other.status_code == 500
    assert traced.json()["trace_id"] == TRACE
    assert traced.json()["id"] == traced.headers["X-Request-Id"]
    assert "trace_id" not in other.json()
    assert "traceparent" not in traced.headers  # it goes with requests; for answers there is no standard yet
    assert "out of order" not in traced.text
    assert err.count("RuntimeError: out of order") == 2


def test_spans_come_to_the_collector_with_the_parent_of_the_client(watch, ship):
    with collecting() as collector:
        environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        }
        with watch(ship, **environment) as server:
            before = time.time_ns()
            headers = {"traceparent": SAMPLED, "tracestate": "shop=1", "user-agent": "till/1"}
            body = b"[" + ROW + b"," + ROW + b"]"
            answer = httpx.post(f"{server.url}/predict/churn?token=hidden", content=body, headers=headers)
            httpx.post(f"{server.url}/predict", content=ROW, headers={"traceparent": NOT_SAMPLED})
            httpx.post(f"{server.url}/predict", content=ROW)
            httpx.get(f"{server.url}/broken", headers=headers)
            httpx.get(f"{server.url}/nowhere/at/all", headers=headers)
            after = time.time_ns()
            server.stop()
        first, second, third = collector.spans
        resource = collector.requests[0].resource_spans[0].resource
        scope = collector.requests[0].resource_spans[0].scope_spans[0].scope
    assert scope.name == "shiplap"
    assert attributes(resource)["service.name"] == "shiplap"
    assert attributes(resource)["deployment.environment.name"] == "test"
    assert {span.trace_id.hex() for span in (first, second, third)} == {TRACE}
    assert {span.parent_span_id.hex() for span in (first, second, third)} == {PARENT}
    assert len({span.span_id for span in (first, second, third)}) == 3
    assert first.trace_state == "shop=1"
    assert first.kind == first.SPAN_KIND_SERVER
    assert before <= first.start_time_unix_nano < first.end_time_unix_nano <= after
    assert (first.name, second.name, third.name) == ("POST /predict/{model}", "GET", "GET")
    assert attributes(first) == {
        "http.request.method": "POST",
        "http.response.status_code": 200,
        "http.route": "/predict/{model}",
        "http.request.body.size": len(body),
        "http.response.body.size": len(answer.content),
        "url.path": "/predict/churn",
        "url.scheme": "http",
        "network.protocol.version": "1.1",
        "client.address": "127.0.0.1",
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "user_agent.original": "till/1",
        "shiplap.model.name": "churn",
        "shiplap.model.version": answer.headers["Shiplap-Ship"][:12],
        "shiplap.protocol": "predict",
        "shiplap.rows": 2,
        "shiplap.request.id": answer.headers["X-Request-Id"],
    }
    assert (first.status.code, second.status.code, third.status.code) == (0, 2, 0)
    assert attributes(second)["error.type"] == "500"
    assert "error.type" not in attributes(third)


def test_a_share_of_what_nobody_decided_about(watch, ship, tmp_path, values):
    """A trace that is begun here has the same id in the access log."""
    log = tmp_path / "access.log"
    with collecting() as collector:
        environment = {
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.url}/v1/traces",
            "OTEL_SERVICE_NAME": "churn-eu",
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0.25",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        with watch(ship, log=str(log), **environment) as server, httpx.Client() as client:
            for _ in range(400):
                client.post(f"{server.url}/predict", content=ROW)
            deadline = time.monotonic() + 10
            sent = 0.0
            while not sent or sent != len(collector.spans):
                sent = values(server.page().body)["shiplap_spans_sent_total", "worker=0"]
                assert time.monotonic() < deadline
            server.stop()
        names = {attributes(each.resource)["service.name"] for each in collector.requests[0].resource_spans}
        spans = collector.spans
    assert names == {"churn-eu"}
    assert 50 < len(spans) < 160
    assert not any(span.parent_span_id for span in spans)
    logged = re.findall(r'"trace_id":"([0-9a-f]{32})"', log.read_text())
    assert sorted(logged) == sorted(span.trace_id.hex() for span in spans)


def test_a_collector_that_does_not_answer_holds_nobody_up(watch, ship, values):
    with collecting() as collector:
        collector.status = 400
        environment = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_BSP_MAX_QUEUE_SIZE": "10",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "10",
            "OTEL_BSP_SCHEDULE_DELAY": "60000",
        }
        request = f"GET /v2 HTTP/1.1\r\nHost: x\r\ntraceparent: {SAMPLED}\r\n\r\n".encode()
        with watch(ship, **environment) as server:
            with server.connect() as client:
                client.sendall(request * 50)
                data = b""
                while data.count(b"HTTP/1.1 200") < 50:
                    data += client.recv(65_536)
            lost = ("shiplap_spans_lost_total", "worker=0")
            deadline = time.monotonic() + 10
            while values(server.page().body)[lost] < 50:
                assert time.monotonic() < deadline
                time.sleep(0.05)
            start = time.monotonic()
            _, err = server.stop()
    assert time.monotonic() - start < 5
    assert err == "spans are lost: the OpenTelemetry collector does not take them\n"


def test_spans_that_wait_are_of_limited_number():
    spans = Spans.from_environment(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
            "OTEL_BSP_MAX_QUEUE_SIZE": "10",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "5",
        }
    )
    head = Head("GET", "/", "", {}, (), "1.1", True, 0, "", Route("GET", "/", print), {}, True)
    for _ in range(25):
        spans.note(Answered(0.0, 0.0, "1", head, 200, 0, 0, None, 1, "127.0.0.1", "http", TRACE))
    assert spans.lost == 15


def test_without_an_endpoint_nothing_is_loaded():
    assert Spans.from_environment({}) is None
    assert Spans.from_environment({"OTEL_SERVICE_NAME": "x"}) is None
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    assert Spans.from_environment({**endpoint, "OTEL_SDK_DISABLED": "TRUE"}) is None
    assert Spans.from_environment({**endpoint, "OTEL_TRACES_EXPORTER": "none"}) is None
    assert Spans.from_environment(endpoint) is not None


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER is 'zipkin': spans go to otlp"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "the OTLP protocol is 'grpc'"),
        ({"OTEL_TRACES_SAMPLER": "parentbased_alwayson"}, "which is none of"),
        ({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "2"}, "a share from 0 to 1, not '2'"),
        ({"OTEL_BSP_MAX_QUEUE_SIZE": "many"}, "a whole number above 0, not 'many'"),
    ],
)
def test_what_the_environment_cannot_mean_is_said(environment, said):
    with pytest.raises(InputError, match=re.escape(said)):
        Spans.from_environment({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", **environment})


def test_without_the_library_the_line_to_install_it_is_named_and_the_server_goes_on():
    program = "\n".join(
        [
            "import sys",
            "sys.modules['opentelemetry'] = None",
            "from shiplap.engineer.deploy.serve.seen import Watch",
            "print(Watch.open(access_log='', environment={'OTEL_TRACES_EXPORTER': 'otlp'}).observer)",
        ]
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "Metrics object" in ran.stdout
    assert ran.stderr == (
        "no request is traced: tracing, which OTEL_* variables switch on and OTEL_SDK_DISABLED=true off, needs a "
        'library that is not installed (pip install "shiplap[otel]")\n'
    )


@pytest.mark.parametrize(
    ("sampler", "share", "heeds"),
    [
        ("", 0.0, True),
        ("always_on", 1.0, False),
        ("always_off", 0.0, False),
        ("traceidratio", 0.5, False),
        ("parentbased_always_on", 1.0, True),
        ("parentbased_traceidratio", 0.5, True),
    ],
)
def test_samplers_decide_as_those_of_opentelemetry(sampler, share, heeds):
    found = Sampler.of({"OTEL_TRACES_SAMPLER": sampler, "OTEL_TRACES_SAMPLER_ARG": "0.5"})
    assert found == (share, heeds)
    roots = [found.decide(None) for _ in range(200)]
    assert {0.0: not any(roots), 1.0: all(roots), 0.5: 50 < sum(map(bool, roots)) < 150}[share]
    assert all(re.fullmatch(r"[0-9a-f]{32}", root) for root in roots if root)
    low, high = (parse_traceparent(f"00-{'1' * 16}{digit * 16}-{PARENT}-00") for digit in "1e")
    kept = [found.decide(parent) is not None for parent in (low, high)]
    assert kept == ([False, False] if heeds else [share > 0.1, share > 0.9])
    traced = parse_traceparent(SAMPLED)
    assert (found.decide(traced) == TRACE) == (heeds or share > 0.6)
