"""What was counted is what was sent: over every protocol, answers and refusals, one process and several."""

import re
import socket
import struct
import threading
import time
from pathlib import Path

import httpx
import msgspec
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from shiplap.engineer.deploy.serve import Limits
from shiplap.engineer.deploy.serve.seen import Gathered
from shiplap.engineer.deploy.serve.seen.catalog import METRICS
from shiplap.engineer.deploy.serve.seen.snapshot import Report, Snapshot

ROW = b'{"age": 41, "plan": "basic"}'


def pipelined(port: int, requests: bytes, count: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(requests)
        client.shutdown(socket.SHUT_WR)
        data = b""
        while part := client.recv(65_536):
            data += part
    assert data.count(b"HTTP/1.1 ") == count


def post(path: str, body: bytes, *headers: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def test_counts_are_exact(watch, ship, make, tmp_path, values):
    other = make(tmp_path / "delay.ship", name="delay", task="regression")
    with watch(ship, other) as server:
        version = httpx.get(f"{server.url}/v2/models/churn").json()["versions"][0]
        pipelined(server.port, post("/predict/churn", ROW) * 50, 50)
        pipelined(server.port, post("/predict/churn", b"[" + ROW + b"," + ROW + b"]") * 3, 3)
        pipelined(server.port, post("/predict/churn", b'{"age": "forty"}') * 2, 2)
        pipelined(server.port, post("/predict/delay", ROW, "Authorization: Bearer secret") * 4, 4)
        pipelined(server.port, post("/v1/models/churn:predict", b'{"instances": [' + ROW + b"]}") * 5, 5)
        pipelined(server.port, b"".join(post(f"/nothing/{number}", b"x") for number in range(40)), 40)
        pipelined(server.port, b"HEAD /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n", 1)
        pipelined(server.port, b"no HTTP\r\n\r\n", 1)
        page = server.page()
        assert server.stop()[1] == ""
    found = values(page.body)
    churn = ("model=churn", "protocol=predict")
    at = f"version={version}"
    assert found["shiplap_requests_total", *churn, "status=200", at] == 53
    assert found["shiplap_requests_total", *churn, "status=422", at] == 2
    assert found["shiplap_rows_total", *churn, at] == 56
    assert found["shiplap_request_duration_seconds_count", *churn, at] == 53
    assert found["shiplap_request_bytes_total", *churn, at] == 50 * len(ROW) + 3 * (2 * len(ROW) + 3) + 2 * 16
    assert found["shiplap_requests_total", "model=churn", "protocol=tensorflow", "status=200", at] == 5
    assert found["shiplap_key_requests_total", "key=shop", "status=200"] == 4
    beside = {key: value for key, value in found.items() if "protocol=other" in key and "_total" in key[0]}
    assert beside.pop(("shiplap_requests_total", "model=", "protocol=other", "status=404", "version=")) == 40
    assert beside.pop(("shiplap_requests_total", "model=", "protocol=other", "status=200", "version=")) == 1  # HEAD
    assert beside.pop(("shiplap_requests_total", "model=", "protocol=other", "status=400", "version=")) == 1
    assert {key[0] for key in beside} == {"shiplap_request_bytes_total", "shiplap_response_bytes_total"}
    total = sum(value for key, value in found.items() if key[0] == "shiplap_requests_total")
    assert total == 50 + 3 + 2 + 4 + 5 + 40 + 1 + 1 + 1
    assert found["shiplap_open_connections", "worker=0"] == 0
    assert found["shiplap_waiting_rows", "model=churn", at] == 0
    assert found["shiplap_workers",] == 1
    assert 50 <= found["shiplap_call_rows_sum", "model=churn", at] <= 55  # lists of one row may join them
    assert 1 <= found["shiplap_call_rows_count", "model=churn", at] <= 55
    infos = [key for key in found if key[0] == "shiplap_model_info"]
    assert {key[1] for key in infos} == {"model=churn", "model=delay"}


def test_rows_are_counted_over_every_protocol(watch, ship, values):
    row = {"age": 41, "plan": "basic"}
    table = {"content": "age,plan\n1,basic\n2,plus\n", "headers": {"Content-Type": "text/csv"}}
    tensors = [
        {"name": "age", "shape": [5], "datatype": "FP64", "data": [41.0] * 5},
        {"name": "plan", "shape": [5], "datatype": "BYTES", "data": ["basic"] * 5},
    ]
    asked = {
        "predict": (3, "/predict", {"json": [row] * 3}),
        "v2": (5, "/v2/models/churn/infer", {"json": {"inputs": tensors}}),
        "invocations": (2, "/invocations", table),
        "tensorflow": (6, "/v1/models/churn:predict", {"json": {"instances": [row] * 6}}),
        "torchserve": (2, "/predictions/churn", {"json": [row] * 2}),
        "azure": (4, "/score", {"json": {"data": [row] * 4}}),
    }
    with watch(ship) as server:
        for _, path, sent in asked.values():
            assert httpx.post(server.url + path, **sent).status_code == 200, path
        found = values(server.page().body)
    rows = {key[2]: value for key, value in found.items() if key[0] == "shiplap_rows_total"}
    assert rows == {f"protocol={name}": count for name, (count, _, _) in asked.items()}


def test_bytes_of_answers_are_those_that_were_sent(watch, ship, values):
    with watch(ship) as server:
        sent = [httpx.post(f"{server.url}/predict", content=body).content for body in (ROW, b"[" + ROW + b"]", b"{")]
        httpx.head(f"{server.url}/v2")
        found = values(server.page().body)
    predicted = {key: value for key, value in found.items() if key[0] == "shiplap_response_bytes_total"}
    assert sum(value for key, value in predicted.items() if "protocol=predict" in key) == sum(map(len, sent))
    assert sum(value for key, value in predicted.items() if "protocol=v2" in key) == 0


def test_histograms_hold_what_was_measured(watch, ship, values, eventually):
    with watch(ship) as server:
        start = time.perf_counter()
        for _ in range(20):
            httpx.post(f"{server.url}/predict", content=ROW)
        took = time.perf_counter() - start
        late = ("shiplap_loop_lag_seconds_count", "worker=0")
        assert eventually(lambda: values(server.page().body)[late] >= 2)
        found = values(server.page().body)
    total = next(value for key, value in found.items() if key[0] == "shiplap_request_duration_seconds_sum")
    assert 0 < total < took
    buckets = [value for key, value in found.items() if key[0] == "shiplap_request_duration_seconds_bucket"]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 20


def test_shedding_is_counted_by_what_was_full(watch, ship, values, eventually):
    with watch(ship, limits=Limits(connections=2)) as server, server.connect(), server.connect():
        for _ in range(3):
            with server.connect() as third:
                assert b"503" in third.recv(100)
        connections = ("shiplap_open_connections", "worker=0")
        assert eventually(lambda: values(server.page().body)[connections] == 2)
        assert values(server.page().body)["shiplap_shed_total", "reason=connections"] == 3


def test_gauges_show_what_waits(watch, ship, values):
    rows = b"[" + b",".join([ROW] * 60_000) + b"]"
    with watch(ship) as server:
        whole = threading.Thread(
            target=httpx.post, args=(f"{server.url}/predict",), kwargs={"content": rows, "timeout": 60}
        )
        whole.start()
        with server.connect() as half:
            half.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + b"x" * 600)
            seen = set()
            deadline = time.monotonic() + 20
            while whole.is_alive() and time.monotonic() < deadline:
                found = values(server.page().body)
                seen.add((found["shiplap_waiting_batches", "worker=0"], found["shiplap_receiving_bytes", "worker=0"]))
        whole.join()
    assert (1, 600) in seen


def test_two_processes_are_summed_and_the_dead_stay_counted(watch, ship, values):
    gathered = Gathered()

    def page(*servers):
        found = values(gathered.render([server.report() for server in servers]).body)
        for server in servers:
            server.report(gathered.state())
        return found

    with watch(ship, worker=0) as one, watch(ship, worker=1) as two:
        pipelined(one.port, post("/predict", ROW) * 7, 7)
        pipelined(two.port, post("/predict", ROW) * 5, 5)
        both, again = page(one, two), page(one, two)
        two.process.kill()
        two.process.wait()
        pipelined(one.port, post("/predict", ROW), 1)
        after = page(one)
        with watch(ship, worker=1) as third:
            pipelined(third.port, post("/predict", ROW) * 2, 2)
            last = page(one, third)
            gathered = Gathered()  # the process that gathers may end too: its successor learns what it knew
            heirs = page(one, third)
    sums = [
        sum(value for key, value in found.items() if key[0] == "shiplap_requests_total" and "status=200" in key)
        for found in (both, again, after, last, heirs)
    ]
    assert sums == [12, 12, 13, 15, 15]
    counts = [
        sum(value for key, value in found.items() if key[0] == "shiplap_request_duration_seconds_count")
        for found in (both, after, last)
    ]
    assert counts == [12, 13, 15]
    assert both["shiplap_workers",] == 2
    assert after["shiplap_workers",] == 1
    assert ("shiplap_open_connections", "worker=1") not in after
    assert last["process_cpu_seconds_total", "worker=1"] > both["process_cpu_seconds_total", "worker=1"]


def test_a_swap_keeps_what_was_counted(watch, ship, make, tmp_path, values):
    other = make(tmp_path / "new.ship", task="binary", repeats=1)
    with watch(ship) as server:
        for served in (other, ship, other):
            pipelined(server.port, post("/predict", ROW) * 3, 3)
            server.swap(served)
        found = values(server.page().body)
    rows = {key[-1]: value for key, value in found.items() if key[0] == "shiplap_rows_total"}
    assert sorted(rows.values()) == [3, 6]
    calls = {key[-1]: value for key, value in found.items() if key[0] == "shiplap_call_rows_sum"}
    assert calls == rows
    assert found["shiplap_swaps_total", "worker=0"] == 3
    assert len([key for key in found if key[0] == "shiplap_model_info"]) == 1


def test_a_request_whose_client_left_is_counted_once(watch, make, tmp_path, values, eventually):
    dear = make(tmp_path / "dear.ship", name="dear", repeats=400)
    left = ("shiplap_requests_total", "model=dear", "protocol=predict", "status=499")
    with watch(dear, limits=Limits(wait_ms=60_000), log=str(tmp_path / "access.log")) as server:
        pipelined(server.port, post("/predict", ROW), 1)
        with server.connect() as client:
            client.sendall(post("/predict", ROW) * 3 + post("/predict", b"[" + ROW + b"," + ROW + b"]"))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset, no half-close

        def counted():
            found = values(server.page().body)
            return {key[:4]: value for key, value in found.items() if key[0] == "shiplap_requests_total"}.get(left)

        assert eventually(lambda: counted() == 4)
        pipelined(server.port, post("/predict", ROW), 1)  # after all that came before
        found = values(server.page().body)
        assert server.stop()[1] == ""
    requests = {key[3]: value for key, value in found.items() if key[0] == "shiplap_requests_total"}
    assert requests == {"status=200": 2, "status=499": 4}
    statuses = [msgspec.json.decode(line)["status"] for line in (tmp_path / "access.log").read_bytes().splitlines()]
    assert sorted(statuses) == [200, 200, 499, 499, 499, 499]


def test_many_swaps_do_not_make_the_page_grow():
    def snapshot(number: int) -> Snapshot:
        counters = {("shiplap_requests_total", "churn", f"v{each}", "predict", "200"): 1.0 for each in range(number)}
        return Snapshot(
            process="1", counters=counters, gauges={("shiplap_model_info", "churn", f"v{number}", "x"): 1.0}
        )

    gathered = Gathered()
    for number in range(200):
        total = gathered.sum([msgspec.msgpack.encode(Report(snapshot(number)))])
        assert sum(total.counters.values()) == number
        assert len(total.counters) <= 17
    assert total.counters["shiplap_requests_total", "churn", "retired", "predict", "200"] == 199 - 16


def test_processes_that_end_again_and_again_do_not_make_the_state_grow():
    gathered = Gathered()
    for number in range(300):
        snapshot = Snapshot(process=str(number), counters={("shiplap_shed_total", "rows"): 1.0})
        total = gathered.sum([msgspec.msgpack.encode(Report(snapshot))])
        assert total.counters["shiplap_shed_total", "rows"] == number + 1
    assert len(gathered.state()) < 10_000


def test_the_formats_are_those_of_prometheus(watch, ship):
    """The rules of ``promtool check metrics``, and the strict parser of OpenMetrics."""
    with watch(ship) as server:
        pipelined(server.port, post("/predict", ROW, "Authorization: Bearer secret"), 1)
        report = server.report()
    page = Gathered().render([report], "application/openmetrics-text; version=1.0.0")
    assert page.media_type.startswith("application/openmetrics-text")
    shown = {family.name for family in openmetrics(page.body.decode())}
    plain = Gathered().render([report], "text/plain")
    assert plain.media_type.startswith("text/plain; version=")
    families = list(text_string_to_metric_families(plain.body.decode()))
    assert {family.name.removesuffix("_info") for family in families} == shown
    for family in families:
        name, kind = family.name, family.type
        assert re.fullmatch(r"(shiplap|process)(_[a-z]+)+", name)
        assert family.documentation.endswith(".")
        assert not name.endswith(("_total", "_count", "_sum", "_bucket"))
        assert not set(name.split("_")) & {"counter", "gauge", "histogram", "ms", "milliseconds", "kb", "minutes"}
        assert kind in {"counter", "gauge", "histogram"}
        for sample in family.samples:
            assert kind != "counter" or sample.name == f"{name}_total"
            assert kind == "histogram" or "le" not in sample.labels


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_the_catalog_keeps_its_rules(metric):
    assert metric.name.endswith("_total") == (metric.kind == "counter")
    assert metric.name.endswith("_info") == (metric.kind == "info")
    assert metric.means.endswith(".")
    with pytest.raises(ValueError, match="labels"):
        metric.key(*metric.labels, "one too many")


def test_the_documentation_lists_every_metric():
    text = (Path(__file__).parents[5] / "docs" / "serving.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith(("| `shiplap_", "| `process_"))]
    assert rows == [f"| `{each.name}` | {each.kind} | {', '.join(each.labels)} | {each.means} |" for each in METRICS]
