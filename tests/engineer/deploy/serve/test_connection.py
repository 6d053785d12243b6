"""HTTP on a raw socket: what a well-behaved client may do, and what no client may."""

import json
import socket
import time

import pytest

ROW = b'{"age":41,"plan":"basic"}'


def post(body=ROW, *, path="/predict", version="1.1", headers=()):
    lines = [f"POST {path} HTTP/{version}", "Host: x", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}"]).encode() + b"\r\n\r\n" + body


def get(path="/health", *, method="GET", version="1.1", headers=()):
    return "\r\n".join([f"{method} {path} HTTP/{version}", "Host: x", *headers]).encode() + b"\r\n\r\n"


def status(data):
    return int(data.split(b" ", 2)[1])


def test_a_connection_is_kept_and_an_equal_head_is_known_again(server, answer_of):
    with server.connect() as client:
        for age in (1, 2, 3):
            client.sendall(post(b'{"age":%d}' % age))
            code, headers, body = answer_of(client)
            assert code == 200
            assert headers["content-type"] == "application/json"
            assert "date" in headers
            assert json.loads(body)["model"] == "churn"


def test_pipelined_requests_are_answered_in_their_order(server, answer_of, scorer):
    rows = [{"age": age} for age in range(50)]
    mixed = b"".join(post(json.dumps(row).encode()) + get() for row in rows)
    with server.connect() as client:
        client.sendall(mixed)
        for row in rows:
            expected = scorer.predict_row(row).probabilities
            assert tuple(json.loads(answer_of(client)[2])["probabilities"].values()) == pytest.approx(expected)
            assert json.loads(answer_of(client)[2])["status"] == "ok"


def test_a_request_may_come_byte_by_byte(server, answer_of):
    with server.connect() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in post() + post():
            client.sendall(bytes([byte]))
        assert [answer_of(client)[0] for _ in range(2)] == [200, 200]


def test_a_known_head_with_half_its_body(server, answer_of):
    with server.connect() as client:
        client.sendall(post())
        first = answer_of(client)[2]
        whole = post()
        client.sendall(whole[:-5])
        time.sleep(0.05)
        client.sendall(whole[-5:] + whole)
        assert answer_of(client)[2] == first
        assert answer_of(client)[2] == first


def test_a_chunked_body_with_a_trailer(server, answer_of):
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (ROW[:3], ROW[3:]))
    with server.connect() as client:
        head = b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        client.sendall(head + chunks + b"0\r\nX-Trailer: 1\r\n\r\n" + get())
        assert answer_of(client)[0] == 200
        assert answer_of(client)[0] == 200


def test_expectation_is_met_before_the_body(server, answer_of):
    with server.connect() as client:
        whole = post(headers=["Expect: 100-continue"])
        client.sendall(whole[: -len(ROW)])
        assert client.recv(1_000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(ROW)
        assert answer_of(client)[0] == 200


def test_expectation_waits_for_earlier_answers(server, answer_of):
    with server.connect() as client:
        client.sendall(post() + post(headers=["Expect: 100-continue"])[: -len(ROW)])
        assert answer_of(client)[0] == 200
        assert answer_of(client)[0] == 100
        client.sendall(ROW)
        assert answer_of(client)[0] == 200


def test_expectation_of_a_body_too_large_is_refused_without_it(server):
    data = post(headers=["Expect: 100-continue"]).replace(b"Content-Length: 25", b"Content-Length: 99999999999")
    answer = server.exchange(data[: -len(ROW)])
    assert status(answer) == 413
    assert b"100 Continue" not in answer


def test_another_expectation_is_refused(server):
    assert status(server.exchange(post(headers=["Expect: magic"]))) == 417


def test_head_has_headers_and_no_body(server):
    answer = server.exchange(get(method="HEAD", headers=["Connection: close"]))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert status(answer) == 200
    assert body == b""
    assert int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]) > 10


def test_options_names_the_methods(server, answer_of):
    with server.connect() as client:
        client.sendall(get("/predict", method="OPTIONS") + get("/v2/health/live", method="OPTIONS"))
        code, headers, _ = answer_of(client)
        assert (code, headers["allow"]) == (204, "OPTIONS, POST")
        assert answer_of(client)[1]["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize(("method", "path", "allow"), [("GET", "/predict", "POST"), ("POST", "/v2/health/live", "GET")])
def test_a_wrong_method_is_told_the_right_one(server, answer_of, method, path, allow):
    with server.connect() as client:
        client.sendall(get(path, method=method, headers=["Content-Length: 0"]))
        code, headers, body = answer_of(client)
    assert code == 405
    assert allow in headers["allow"]
    assert json.loads(body)["expected"] == headers["allow"]


def test_http_1_0_closes_unless_asked(server, answer_of):
    answer = server.exchange(post(version="1.0"))
    assert status(answer) == 200
    assert b"Connection: close" in answer
    with server.connect() as client:
        for _ in range(2):
            client.sendall(post(version="1.0", headers=["Connection: keep-alive"]))
            code, headers, _ = answer_of(client)
            assert (code, headers["connection"]) == (200, "keep-alive")


def test_a_client_that_asks_to_close_gets_its_answer_and_nothing_after_it(server):
    for further in (b"", post(), b"GARBAGE\r\n\r\n" * 5_000):
        answer = server.exchange(post(headers=["Connection: close"]) + further)
        assert answer.count(b"HTTP/1.1 ") == 1
        assert status(answer) == 200
        assert b"Connection: close" in answer


@pytest.mark.parametrize(("method", "target"), [("TRACE", "/predict"), ("TRACE", "/health"), ("CONNECT", "a:80")])
def test_no_tunnel_is_opened_and_no_request_reflected(server, method, target):
    answer = server.exchange(get(target, method=method, headers=["X-Secret: 1", "Connection: close"]) + b"further")
    assert answer.count(b"HTTP/1.1 ") == 1
    assert status(answer) in {400, 404, 405}
    assert b"X-Secret" not in answer


def test_chunks_may_have_extensions(server, answer_of):
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with server.connect() as client:
        client.sendall(head + b'2;a=b;c="d e"\r\n{"\r\n%x;x\r\n%b\r\n0;y\r\n\r\n' % (len(ROW) - 2, ROW[2:]))
        assert answer_of(client)[0] == 200


def test_a_client_that_sends_no_more_still_gets_its_answers(server):
    assert server.exchange(post() + post(), end=True).count(b"HTTP/1.1 200") == 2


UPGRADE = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"]


@pytest.mark.parametrize("pieces", [1, 2, 40])
def test_an_upgrade_is_declined_by_answering_as_ever(server, answer_of, pieces):
    whole = post(headers=UPGRADE) + get(headers=UPGRADE) + post()
    step = -(-len(whole) // pieces)
    with server.connect() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(whole), step):
            client.sendall(whole[at : at + step])
            time.sleep(0.002)
        assert json.loads(answer_of(client)[2])["model"] == "churn"
        assert json.loads(answer_of(client)[2])["status"] == "ok"
        assert json.loads(answer_of(client)[2])["model"] == "churn"


def test_an_upgrade_of_http_1_0_is_ignored(server):
    answer = server.exchange(post(version="1.0", headers=["Connection: Upgrade", "Upgrade: h2c"]))
    assert status(answer) == 200
    assert b"Connection: close" in answer


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"GARBAGE\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"\x00" * 100, 400),
        (b"GET /health HTTP/1.1\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\nHost: a\n\n", 400),
        (b"GET /health HTTP/3.7\r\nHost: a\r\n\r\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}", 400),
        (b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (b'POST /predict HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\na\r\n{"age":41}\r\n0\r\n\r\n', 400),
        (b"GET /health HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        (b"GET /health HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nX: a\x01b\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\n Host: a\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nX: y\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400),
        (b"GET /health\r\n\r\n", 505),
        (b"get /health HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"GET health HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400),
        (b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 2, 2\r\n\r\n{}", 400),
        (b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\n{}", 400),
        (b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 0x2\r\n\r\n{}", 400),
        (b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2 \r\n{}\r\n0\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}0\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 17 + b"\r\n", 400),
        (
            b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n",
            400,
        ),
        (b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 411),
        (b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 400),
    ],
)
def test_what_is_not_http_is_refused_with_a_problem(server, data, code):
    answer = server.exchange(data)
    assert status(answer) == code
    assert b"Connection: close" in answer
    body = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert body["status"] == code
    assert body["detail"]
    assert b"Traceback" not in answer


def test_garbage_after_a_good_request_leaves_its_answer_alone(server):
    answer = server.exchange(post() + b"GARBAGE\r\n\r\n")
    first, second = answer.split(b"HTTP/1.1 ")[1:]
    assert first.startswith(b"200")
    assert second.startswith(b"400")


def test_a_request_cut_short_is_told_so(server):
    answer = server.exchange(post()[:-5], end=True)
    assert status(answer) == 400
    assert b"ended before" in answer


def test_a_client_that_leaves_without_its_answer_harms_nobody(server, answer_of):
    for _ in range(20):
        with server.connect() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
            client.sendall(post() * 10)
    with server.connect() as client:
        client.sendall(post())
        assert answer_of(client)[0] == 200


def test_a_path_may_be_percent_encoded_or_absolute(server, answer_of):
    with server.connect() as client:
        client.sendall(get("/v2/models/%63hurn/ready") + get(f"http://127.0.0.1:{server.port}/health?x=1"))
        assert json.loads(answer_of(client)[2]) == {"name": "churn", "ready": True}
        assert answer_of(client)[0] == 200
