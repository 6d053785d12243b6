"""Every limit, met by a client that goes past it."""

import json
import socket
import time
from pathlib import Path

import pytest

from shiplap.core.errors import InputError
from shiplap.engineer.deploy.serve import Limits

ROW = b'{"age":41}'


def post(body=ROW, *, headers=(), path="/predict"):
    lines = [f"POST {path} HTTP/1.1", "Host: x", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def status(data):
    return int(data.split(b" ", 2)[1])


@pytest.fixture(scope="module")
def strict(start, ship):
    limits = Limits(
        header_bytes=1_000,
        target_bytes=200,
        body_bytes=5_000,
        receiving_bytes=9_000,
        rows=10,
        depth=4,
        connections=8,
        pipeline=4,
        read_s=0.4,
        idle_s=0.6,
        write_s=0.6,
    )
    with start(ship, limits=limits) as run:
        yield run
        assert run.stop() == ""


@pytest.mark.parametrize("name", Limits.__struct_fields__)
def test_a_limit_that_lets_nothing_through_is_refused(name):
    with pytest.raises(InputError, match=name):
        Limits(**{name: 0})


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (post(headers=["X-Long: " + "a" * 1_000]), 431),
        (post(headers=[f"X-{index}: a" for index in range(200)]), 431),
        (b"POST /predict HTTP/1.1\r\nX: " + b"a" * 3_000, 431),
        (post(path="/" + "a" * 300), 414),
        (post(b'{"age": "' + b"a" * 5_000 + b'"}'), 413),
        (b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999999\r\n\r\n", 413),
        (b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n", 400),
        (
            b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"3e8\r\n%b\r\n" % (b"a" * 1000) * 6,
            413,
        ),
        (post(b"[" + b",".join([ROW] * 11) + b"]", headers=["Connection: close"]), 413),
        (post(b"\n".join([ROW] * 11), headers=["Connection: close", "Content-Type: application/x-ndjson"]), 413),
        (post(b'{"age":' + b"[" * 9 + b"]" * 9 + b"}", headers=["Connection: close"]), 400),
        (post(b'[{"age":1,"x":' + b"[" * 9 + b"]" * 9 + b"}]", headers=["Connection: close"]), 400),
    ],
)
def test_too_much_is_refused_with_the_right_status(strict, data, code):
    answer = strict.exchange(data)
    assert status(answer) == code
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == code


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"age":1,"plan":"[[[[[{{{{{"}', []),
        (b"[" + b",".join([ROW] * 10) + b"]", []),
        (b"[" + b",".join([b'{"plan":"}{][[[[[\\"{{"}'] * 10) + b"]", []),
        (b"\n".join([ROW] * 10), ["Content-Type: application/x-ndjson"]),
        (b'{"age":1,"x":[[1]]}', []),
    ],
)
def test_just_within_the_limits_is_answered(strict, body, headers):
    assert status(strict.exchange(post(body, headers=[*headers, "Connection: close"]))) == 200


def test_a_client_that_still_sends_is_not_reset_over_its_refusal(server, answer_of):
    with server.connect() as client:
        client.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n" + b"a" * 10_000)
        for _ in range(3):
            time.sleep(0.1)
            client.sendall(b"a" * 10_000)
        assert answer_of(client)[0] == 413
        assert client.recv(1) == b""


def test_an_endless_trailer_is_refused(strict):
    with strict.connect() as client:
        client.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ")
        time.sleep(0.05)
        client.sendall(b"a" * 3_000)
        assert status(client.recv(1_000)) == 431


def test_a_slow_head_is_cut_off_while_others_are_answered(strict, answer_of):
    with strict.connect() as slow, strict.connect() as quick:
        started = time.monotonic()
        slow.sendall(b"POST /predict HTTP/1.1\r\n")
        data = b""
        slow.settimeout(0.05)
        while not data and time.monotonic() - started < 5:
            try:
                slow.sendall(b"X: y\r\n")
                data = slow.recv(4_096)
            except TimeoutError:
                quick.sendall(post())
                assert answer_of(quick)[0] == 200
        assert status(data) == 408


def test_a_slow_body_is_cut_off(strict):
    assert status(strict.exchange(post()[:-3])) == 408


def test_an_idle_connection_is_closed_without_a_word(strict, answer_of):
    with strict.connect() as client:
        client.sendall(post())
        assert answer_of(client)[0] == 200
        assert client.recv(100) == b""


def test_one_connection_too_many_is_told_so(strict, answer_of):
    others = [strict.connect() for _ in range(8)]
    try:
        for other in others:
            other.sendall(post())
            answer_of(other)
        answer = strict.exchange(b"")
        assert status(answer) == 503
        assert b"Retry-After" in answer
    finally:
        for other in others:
            other.close()


def test_too_much_received_at_once_is_refused(strict):
    clients = [strict.connect() for _ in range(3)]
    try:
        answers = []
        for client in clients:
            client.sendall(post(b"a" * 4_900)[:-1])
            time.sleep(0.05)
        for client in clients:
            client.settimeout(0.2)
            try:
                answers.append(status(client.recv(4_096)))
            except TimeoutError:
                answers.append(0)
        assert sorted(answers)[-1] == 503
        assert answers.count(503) <= 2
    finally:
        for client in clients:
            client.close()


def test_more_pipelined_requests_than_may_wait_are_all_answered(strict, answer_of):
    with strict.connect() as client:
        client.sendall(post() * 200)
        assert [answer_of(client)[0] for _ in range(200)] == [200] * 200


def test_a_client_that_takes_no_answers_is_not_read_and_then_cut_off(start, ship, answer_of):
    with start(ship, limits=Limits(write_s=0.6)) as run, run.connect() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.settimeout(0.2)
        asked = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 100
        assert not send_many(client, asked, times=20_000)
        with run.connect() as other:
            other.sendall(post())
            assert answer_of(other)[0] == 200
        time.sleep(1.5)
        assert not send_many(client, b"GET", times=100, error=ConnectionError)
        assert run.stop() == ""


def send_many(client, data, *, times, error=(TimeoutError, ConnectionError)):
    """Return whether all of it could be sent."""
    try:
        for _ in range(times):
            client.sendall(data)
    except error:
        return False
    return True


def test_every_limit_is_documented():
    page = Path(__file__).parents[4] / "docs" / "serving.md"
    missing = [name for name in Limits.__struct_fields__ if f"`{name}`" not in page.read_text()]
    assert not missing
