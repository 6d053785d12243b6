"""What a handler may do wrong, and plain asyncio under the same server."""

import asyncio
import json
import socket
import threading

import pytest

from shiplap.engineer.deploy.serve.http.bridge import Bridge
from shiplap.engineer.deploy.serve.http.exchange import Route
from shiplap.engineer.deploy.serve.http.listener import listen
from shiplap.engineer.deploy.serve.http.routes import Routes
from shiplap.engineer.deploy.serve.http.server import Server
from shiplap.engineer.deploy.serve.limits import Limits


def boom(exchange):
    raise RuntimeError("secret")


def fine(exchange):
    exchange.answer_json(b"{}")
    exchange.answer(b"never sent")


async def slow(scope, receive, send):
    if scope["path"] == "/crash":
        raise RuntimeError("secret")
    message = await receive()
    await asyncio.sleep(0.3)
    await send({"type": "http.response.start", "status": 201, "headers": [(b"x-path", scope["path"].encode())]})
    await send({"type": "http.response.body", "body": message["body"], "more_body": True})
    await send({"type": "http.response.body", "body": scope["query_string"]})


@pytest.fixture(params=["uvloop", "asyncio"])
def port(request):
    """A server of its own handlers, on a loop of either kind, in a thread."""
    factory = pytest.importorskip("uvloop").new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
    routes = Routes([Route("POST", "/boom", boom), Route("POST", "/fine", fine)], Bridge(slow, tasks=2))
    listener = listen("127.0.0.1", 0)
    started = threading.Event()
    stop = []

    async def main():
        server = Server(routes, Limits(idle_s=0.5))
        await server.start(listener)
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        stop.append(lambda: loop.call_soon_threadsafe(ended.set))
        started.set()
        await ended.wait()
        await server.drain()

    def run():
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(main())

    thread = threading.Thread(target=run)
    thread.start()
    assert started.wait(10)
    yield listener.getsockname()[1]
    stop[0]()
    thread.join(10)
    listener.close()
    assert not thread.is_alive()


def ask(port, data):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(data)
        answer = b""
        while part := client.recv(65_536):
            answer += part
    return answer


def post(path, *, close=True, body=b"{}"):
    last = b"Connection: close\r\n" if close else b""
    return b"POST %b HTTP/1.1\r\nHost: x\r\n%bContent-Length: %d\r\n\r\n%b" % (path, last, len(body), body)


def test_an_unexpected_error_is_told_by_its_id_alone(port, capfd):
    for path in (b"/boom", b"/boom?x=1"):
        answer = ask(port, post(path))
        body = json.loads(answer.partition(b"\r\n\r\n")[2])
        assert answer.startswith(b"HTTP/1.1 500")
        assert b"secret" not in answer
        logged = capfd.readouterr().err
        assert f"error {body['id']} in POST '/boom'" in logged
        assert "RuntimeError: secret" in logged


def test_an_application_that_fails_is_told_by_its_id_alone(port, capfd):
    answer = ask(port, b"GET /crash HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 500")
    assert b"secret" not in answer
    assert "RuntimeError: secret" in capfd.readouterr().err


def test_the_second_answer_is_dropped(port):
    answers = ask(port, post(b"/slow", close=False) + post(b"/fine"))  # the second waits for the first
    assert answers.endswith(b"{}")
    assert b"never sent" not in answers


def test_an_application_gets_the_request_and_may_answer_in_pieces(port):
    answer = ask(port, post(b"/else%20where?q=1", body=b"body+"))
    assert answer.startswith(b"HTTP/1.1 201 Created")
    assert b"x-path: /else where" in answer
    assert answer.endswith(b"Content-Length: 8\r\nConnection: close\r\n\r\nbody+q=1")


def test_requests_beside_are_limited_in_number(port):
    answers = ask(port, post(b"/a", close=False) * 3 + post(b"/fine"))
    assert [part[:3] for part in answers.split(b"HTTP/1.1 ")[1:]] == [b"201", b"201", b"503", b"200"]


def test_options_of_the_whole_server(port):
    answer = ask(port, b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 204")
    assert b"Allow: GET, HEAD, OPTIONS, POST" in answer
    assert b"Content-Length" not in answer


def test_an_idle_connection_is_closed(port):
    assert ask(port, b"") == b""
