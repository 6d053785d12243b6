"""What stands in an answer, whoever made it."""

import contextlib
import json
import re
import time

import pytest

from shiplap.engineer.deploy.serve.limits import Limits

ECHO = b"POST /echo HTTP/1.1\r\nHost: x\r\n%bContent-Length: 2\r\n\r\n{}"


def get(path, *headers, method="GET", version="1.1"):
    lines = [f"{method} {path} HTTP/{version}", "Host: x", *headers, "Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def parsed(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    assert len(headers) == len(lines) - 1, lines
    return int(lines[0].split()[1]), headers, body


@pytest.mark.parametrize("sign", ["\r\nX-Evil: 1", "\nX-Evil: 1", "\r\n\r\n<html>", "\rX-Evil: 1", "\0"])
@pytest.mark.parametrize("where", ["/long/", "/beside/"])
def test_nothing_of_a_client_becomes_a_header_of_its_own(served, sign, where):
    quoted = "".join(f"%{ord(letter):02x}" for letter in sign)
    code, headers, _ = parsed(served.ask(get(f"{where}a{quoted}b")))
    assert code == 200
    assert "x-evil" not in headers
    assert re.fullmatch(rf"{where}a +.*b", headers["x-path"])


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a1-B_2.c:d/e+f=", True),
        ("x" * 128, True),
        ("x" * 129, False),
        ("two words", False),
        ("a\x80b", False),
        ("caf\xe9", False),
        ("<script>", False),
        ('"', False),
        ("a,b", False),
        ("", False),
    ],
)
def test_an_id_of_a_client_is_kept_where_it_is_harmless(served, sent, kept):
    for path in ("/long", "/page", "/missing"):
        headers = parsed(served.ask(get(path, f"X-Request-Id: {sent}")))[1]
        assert (headers["x-request-id"] == sent) is kept
        if not kept:
            assert re.fullmatch(r"[0-9a-f]{10}-[0-9a-f]+", headers["x-request-id"])


def test_two_ids_are_none(served):
    answer = served.ask(get("/long", "X-Request-Id: a", "X-Request-Id: b"))
    assert re.fullmatch(r"[0-9a-f]{10}-[0-9a-f]+", parsed(answer)[1]["x-request-id"])


def test_every_answer_has_an_id_of_its_own(served):
    asked = ECHO % b"" * 50 + ECHO % b"Connection: close\r\n"
    ids = re.findall(rb"X-Request-Id: (\S+)\r\n", served.ask(asked))
    assert len(set(ids)) == len(ids) == 51


def test_the_client_is_known_by_its_address(served):
    assert parsed(served.ask(ECHO % b"Connection: close\r\n"))[1]["x-client"] == "127.0.0.1"


def test_headers_that_repeat_are_joined(served):
    assert parsed(served.ask(get("/page")))[1]["vary"] == "A, B"


def test_an_answer_that_has_no_body_announces_none(served):
    code, headers, body = parsed(served.ask(get("/fresh")))
    assert (code, body) == (304, b"")
    assert "content-length" not in headers


@pytest.mark.parametrize("path", ["/long", "/page", "/json", "/missing"])
def test_head_is_get_without_the_body(served, path):
    code, headers, body = parsed(served.ask(get(path)))
    alone = parsed(served.ask(get(path, method="HEAD")))
    varying = {"date", "x-request-id"}
    assert alone[0] == code
    assert alone[2] == b""
    assert {name: alone[1][name] for name in alone[1].keys() - varying} == {
        name: headers[name] for name in headers.keys() - varying
    }
    assert int(headers["content-length"]) == len(body)


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/long", "GET, HEAD, OPTIONS"),
        ("/echo", "OPTIONS, POST"),
        ("/json", "GET, HEAD, OPTIONS, POST"),
        ("/page", "GET, HEAD, OPTIONS"),
        ("*", "GET, HEAD, OPTIONS, POST"),
    ],
)
def test_options_tells_the_methods(served, path, allow):
    code, headers, body = parsed(served.ask(get(path, method="OPTIONS")))
    assert (code, headers["allow"], body) == (204, allow, b"")
    assert "content-length" not in headers


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "QUERY"])
def test_another_method_is_told_the_right_ones(served, method):
    code, headers, body = parsed(served.ask(get("/json", method=method)))
    assert code == json.loads(body)["status"] == 405
    assert headers["allow"] == json.loads(body)["expected"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("http://example.org/long/a", "/long/a"),
        ("http://example.org", "/"),
        ("HTTP://u@example.org:80/long/%61?x=1", "/long/a"),
        ("/long/a%2Fb", "/long/a/b"),
        ("/long//b", "/long//b"),
        ("//example.org/long", "//example.org/long"),
        ("/long/../x", "/long/../x"),
        ("/?", "/"),
    ],
)
def test_a_target_has_a_path_whatever_its_form(served, target, path):
    assert parsed(served.ask(get(target)))[1]["x-path"] == path


def test_a_draining_server_answers_what_was_asked_and_says_that_it_closes(serve_http):
    later = b"POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    with serve_http() as run, run.connect() as client, run.connect() as idle, run.connect() as half:
        half.sendall(later[:-1])
        client.sendall(later * 3)
        time.sleep(0.05)
        run.process.terminate()
        time.sleep(0.02)
        half.sendall(later[-1:])
        for line, count in ((client, 3), (half, 1)):
            answers = b""
            while part := line.recv(65_536):
                answers += part
            assert answers.count(b"HTTP/1.1 200 OK") == count
            assert answers.count(b"Connection: close") == 1
            assert b"Connection: close" in answers.split(b"HTTP/1.1 ")[-1]
        assert idle.recv(10) == b""
        run.process.wait(10)
        assert run.stop() == ""


def test_nothing_is_taken_after_the_answer_that_says_so(serve_http):
    later = b"POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    with serve_http() as run, run.connect() as client:
        client.sendall(later)
        time.sleep(0.05)
        run.process.terminate()
        time.sleep(0.05)
        client.sendall(ECHO % b"")  # its answer waits for the first, and says that it is the last
        time.sleep(0.05)
        client.sendall(ECHO % b"")
        answers = b""
        while part := client.recv(65_536):
            answers += part
        assert answers.count(b"HTTP/1.1 200 OK") == 2
        run.process.wait(10)
        assert run.stop() == ""


def test_pipelined_answers_of_one_turn_leave_together(served):
    with served.connect() as client:
        client.sendall(ECHO % b"" * 30)
        data = client.recv(1 << 20)
    assert data.count(b"HTTP/1.1 200") == 30


def test_answers_made_later_keep_their_order(served):
    later = b"POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
    with served.connect() as client:
        client.sendall((later + ECHO % b"") * 20 + get("/page"))
        data = b""
        while part := client.recv(1 << 20):
            data += part
    kinds = re.findall(rb"Content-Type: (\S+)|x-path: (\S+)", data)
    assert kinds == [(b"application/json", b""), (b"text/plain", b"")] * 20 + [(b"", b"/page")]


def test_a_client_of_http_1_0_is_kept_where_it_asks(served):
    asked = b"POST /json HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}"
    answers = served.ask(asked * 2 + asked.replace(b"keep-alive", b"close"))
    assert re.findall(rb"Connection: (\S+)\r\n", answers) == [b"keep-alive", b"keep-alive", b"close"]


def test_pipelined_requests_for_long_answers_do_not_fill_the_memory(serve_http):
    asked = b"GET /long HTTP/1.1\r\nHost:\r\n\r\n" * 20_000  # 8 GB of answers
    with serve_http(limits=Limits(write_s=30)) as run:
        before_kb = run.memory_kb
        clients = [run.connect(timeout=0.5) for _ in range(4)]
        for client in clients:
            with contextlib.suppress(TimeoutError):
                client.sendall(asked)
        time.sleep(1)
        used_kb = run.memory_kb - before_kb
        for client in clients:
            client.close()
        assert used_kb < 4 * 2 * 64 * 420  # of each connection, the answers to a line of requests, and once more
        assert run.stop() == ""


def test_a_body_in_tiny_chunks_takes_no_more_memory_than_a_whole_one(serve_http):
    start = b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    with serve_http() as run, run.connect(timeout=60) as client:
        before_kb = run.memory_kb
        client.sendall(start)
        for _ in range(500):
            client.sendall(b"2\r\nab\r\n" * 4_000)
        time.sleep(0.2)
        assert run.memory_kb - before_kb < 20_000
        client.sendall(b"0\r\n\r\n")
        got = 0
        while got < 4_000_000:
            got += len(client.recv(1 << 20))
        assert run.stop() == ""
