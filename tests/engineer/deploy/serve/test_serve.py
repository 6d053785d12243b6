"""The verb: starting, ending, long batches beside single rows, and clients of other makers."""

import concurrent.futures
import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings

import httpx
import pytest

from shiplap.core.errors import InputError, ShipError
from shiplap.engineer.deploy.serve import Limits, serve


def test_a_port_in_use_is_one_line(ship):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(InputError) as caught:
        serve(ship, port=taken.getsockname()[1])
    assert "already in use (choose another" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "port", "said"),
    [("127.0.0.1", 70_000, "0 to 65535"), ("no.such.host.invalid", 0, "not known"), ("192.0.2.1", 0, "no address of")],
)
def test_an_address_that_cannot_be_had_is_one_line(ship, host, port, said):
    with pytest.raises(InputError, match=said):
        serve(ship, host=host, port=port)


def test_what_is_no_ship_is_refused_before_the_port_is_opened(tmp_path):
    (tmp_path / "x.ship").write_bytes(b"no zip")
    with pytest.raises(ShipError):
        serve(tmp_path / "x.ship")
    with pytest.raises(InputError, match="nothing to serve"):
        serve([])


def test_a_ship_that_is_named_twice_is_refused(ship):
    with pytest.raises(InputError, match="of 'churn' is named twice"):
        serve([ship, ship], port=0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_idle_server_at_once_and_in_peace(start, ship, number):
    with start(ship) as run, run.connect() as idle:
        run.process.send_signal(number)
        assert idle.recv(10) == b""
        assert run.process.wait(timeout=10) == 0
        assert run.stop() == ""


def test_a_signal_lets_requests_in_progress_finish(start, ship):
    rows = [{"age": index} for index in range(100_000)]
    body = json.dumps(rows).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with start(ship) as run, run.connect(timeout=60) as busy, run.connect(timeout=60) as half:
        half.sendall(head.replace(str(len(body)).encode(), b"10") + b'{"age"')
        busy.sendall(head + body)
        with run.connect() as other:  # the batch is being worked on once this is answered
            other.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert b"200 OK" in other.recv(1_000)
        run.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        with pytest.raises(OSError):  # noqa: PT011
            run.connect(timeout=1).recv(1)
        half.sendall(b":1} ")
        answers = [receive(half), receive(busy)]
        for answer in answers:
            assert answer.startswith(b"HTTP/1.1 200")
            assert b"Connection: close" in answer
        assert len(json.loads(answers[1].partition(b"\r\n\r\n")[2])) == len(rows)
        assert run.process.wait(timeout=20) == 0
        assert run.stop() == ""


def test_what_does_not_finish_in_time_is_cut_off(start, ship):
    with start(ship, limits=Limits(drain_s=0.3)) as run, run.connect() as half:
        half.sendall(b"POST /predict HTTP/1.1\r\n")
        time.sleep(0.2)
        run.process.send_signal(signal.SIGTERM)
        assert run.process.wait(timeout=10) == 0


def test_single_rows_and_health_are_answered_while_a_long_batch_is_worked_on(server):
    body = json.dumps([{"age": index, "plan": "basic", "since": "2013-03-01"} for index in range(100_000)]).encode()
    order = []

    def batch():
        answer = httpx.post(f"{server.url}/predict", content=body, timeout=120)
        order.append("batch")
        return answer

    with httpx.Client(base_url=server.url) as client, concurrent.futures.ThreadPoolExecutor() as pool:
        client.get("/health")
        long = pool.submit(batch)
        answered = 0
        while not long.done():
            assert client.post("/predict", json={"age": 1}).status_code == 200
            assert client.get("/health").status_code == 200
            answered += 1
        assert len(long.result().json()) == 100_000
    assert answered >= 20


def test_a_dear_model_gathers_rows_while_it_is_busy_and_refuses_past_its_queue(start, make, tmp_path):
    path = make(tmp_path / "dear.ship", name="dear", repeats=400)
    with start(path, limits=Limits(queue=4)) as run, concurrent.futures.ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda age: httpx.post(f"{run.url}/predict", json={"age": age}, timeout=60), range(24)))
        codes = {answer.status_code for answer in answers}
        assert codes == {200, 503}
        assert all(answer.headers["retry-after"] == "1" for answer in answers if answer.status_code == 503)
        assert httpx.get(f"{run.url}/health").status_code == 200
        assert run.stop() == ""


def test_long_batches_past_the_queue_are_refused(start, ship):
    body = json.dumps([{"age": 1, "plan": "basic"}] * 50_000).encode()
    with start(ship, limits=Limits(queue=1)) as run, concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: httpx.post(f"{run.url}/predict", content=body, timeout=60), range(6)))
        codes = [answer.status_code for answer in answers]
        assert set(codes) == {200, 503}
        assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 503)
        assert [httpx.post(f"{run.url}/predict", content=body, timeout=60).status_code for _ in range(3)] == [200] * 3
        assert run.stop() == ""


def test_many_clients_at_once_get_their_own_answers(server, scorer):
    def ask(start):
        with httpx.Client(base_url=server.url) as client:
            for age in range(start, start + 40):
                told = client.post("/predict", json={"age": age}).json()
                assert tuple(told["probabilities"].values()) == pytest.approx(
                    scorer.predict_row({"age": age}).probabilities, rel=1e-14
                )

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, range(0, 320, 40)))


def test_serving_loads_no_training_library(ship):
    code = """
import os, signal, sys
from shiplap.engineer.deploy.serve import serve
heavy = {"sklearn", "pandas", "pyarrow", "scipy", "lightgbm", "duckdb", "onnx", "bokeh", "skops", "jinja2", "pickle5"}
def ready(url):
    print(sorted(heavy & set(sys.modules)), flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
serve(sys.argv[1], port=0, ready=ready)
"""
    told = subprocess.run([sys.executable, "-c", code, ship], capture_output=True, text=True, check=True, timeout=60)
    assert (told.stdout.strip(), told.stderr) == ("[]", "")


def test_it_can_be_served_from_a_thread(ship):
    found = []
    heard = threading.Event()
    thread = threading.Thread(
        target=serve,
        args=(ship,),
        kwargs={"port": 0, "ready": lambda url: (found.append(url), heard.set())},
        daemon=True,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        thread.start()
        assert heard.wait(30)
        assert httpx.get(f"{found[0]}/health").json()["status"] == "ok"


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_needs_no_header(server):
    command = ["curl", "-sS", "-d", '{"age": 41, "plan": "basic"}', f"{server.url}/predict"]
    told = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert told["prediction"] in {"no", "yes"}


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_reads_the_refusal_of_a_body_it_is_still_sending(server, tmp_path):
    big = tmp_path / "big.json"
    big.write_bytes(b"[" + b" " * 40_000_000 + b"]")
    command = ["curl", "-sS", "-o", "-", "-w", "%{http_code}", "--data-binary", f"@{big}", f"{server.url}/predict"]
    for headers in (["-H", "Expect:"], [], ["-H", "Transfer-Encoding: chunked"]):
        told = subprocess.run([*command, *headers], capture_output=True, check=True, timeout=60).stdout
        assert told.endswith(b"413")


def receive(client):
    data = b""
    while part := client.recv(1 << 20):
        data += part
    return data
