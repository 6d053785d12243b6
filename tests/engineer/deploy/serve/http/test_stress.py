"""Clients that mean harm, or are only slow, while others ask as ever."""

import contextlib
import random
import re
import selectors
import socket
import struct
import threading
import time

import pytest

from shiplap.engineer.deploy.serve.limits import Limits

GOOD = b"POST /json HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
SEEDS = [
    GOOD,
    b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    b'5;a=b\r\n{"age\r\n5\r\n":41}\r\n0\r\nX: y\r\n\r\n',
    b"GET /page?a=%20 HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip;q=0.5\r\n\r\n",
    b"HEAD /long HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 22\r\n\r\n"
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xab\xae\x05\x00\x43\xbf\xa6\xa3\x02\x00\x00\x00",
    b"GET /json HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\nX-Request-Id: abc\r\n\r\n",
    b"CONNECT a:80 HTTP/1.1\r\nHost: x\r\n\r\n",
]
PIECES = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b":",
    b",",
    b";",
    b"\t ",
    b"\xff",
    b"0",
    b"-1",
    b"f" * 20,
    b"HTTP/1.1",
    b"%00",
    b"//",
]
PIECES += [
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Host: y\r\n",
    b"Connection: close\r\n",
    b"\r\n\r\n",
    b"a" * 5_000,
]
REQUESTS, TOGETHER = 12_000, 40


def bent(dice):
    """Return a request with pieces replaced, cut out, put in and doubled."""
    data = dice.choice(SEEDS)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(data) + 1)
        length = dice.choice((0, 0, 1, 3, 30))
        put = dice.choice((b"", dice.choice(PIECES), dice.randbytes(dice.randint(1, 8)), data[at : at + 20]))
        data = data[:at] + put + data[at + length :]
    return data


class Throw:
    """One connection that sends what it was given, half-closes, and takes what comes."""

    def __init__(self, port, data):
        self.data, self.answer = data, b""
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        with contextlib.suppress(OSError):  # it may have been refused before it was sent
            self.socket.sendall(data)
            self.socket.shutdown(socket.SHUT_WR)
        self.socket.setblocking(False)

    def take(self):
        """Return whether the server has closed."""
        try:
            part = self.socket.recv(1 << 20)
        except ConnectionResetError:
            part = b""
        self.answer += part
        return not part


def throw(port, thrown):
    """Return the answers to every item of `thrown`, many at one time."""
    answers, open_ones = [], selectors.DefaultSelector()
    waiting = iter(thrown)
    done = False
    while not done or open_ones.get_map():
        while not done and len(open_ones.get_map()) < TOGETHER:
            data = next(waiting, None)
            if data is None:
                done = True
                break
            each = Throw(port, data)
            open_ones.register(each.socket, selectors.EVENT_READ, each)
        ready = open_ones.select(timeout=10)
        assert ready or not open_ones.get_map(), [key.data.data for key in open_ones.get_map().values()]
        for key, _ in ready:
            if key.data.take():
                open_ones.unregister(key.fileobj)
                key.fileobj.close()
                answers.append((key.data.data, key.data.answer))
    open_ones.close()
    return answers


@pytest.mark.parametrize("seed", [1])
def test_malformed_requests_are_refused_and_nothing_else_happens(serve_http, seed):
    dice = random.Random(seed)
    limits = Limits(header_bytes=4_096, target_bytes=1_000, connections=200)
    with serve_http(limits=limits) as run:
        throw(run.port, [bent(dice) for _ in range(2_000)])
        before_kb = run.memory_kb
        answers = throw(run.port, [bent(dice) for _ in range(REQUESTS)])
        assert run.memory_kb - before_kb < 4_000
        assert len(answers) == REQUESTS
        codes = {}
        for data, answer in answers:
            for code in re.findall(rb"(?:^|\n|[}\]e])HTTP/1\.1 ([0-9]{3}) ", answer):
                codes[code] = codes.get(code, 0) + 1
                # 501 is what RFC 9112 wants for an unknown transfer coding, 505 for another version of HTTP.
                assert code < b"500" or code in {b"501", b"503", b"505"}, data
        assert codes[b"400"] > 2_000
        assert codes[b"200"] > 1_000
        with run.connect() as client:
            client.sendall(GOOD)
            assert client.recv(65_536).startswith(b"HTTP/1.1 200")
        assert run.stop() == ""


def times_of(run, count):
    """Return how long each of `count` requests took, in seconds, sorted."""
    times = []
    with run.connect() as client:
        for _ in range(count):
            start = time.perf_counter()
            client.sendall(GOOD)
            assert client.recv(65_536).endswith(b"{}")
            times.append(time.perf_counter() - start)
    return sorted(times)


def test_two_hundred_slow_clients_hold_nobody_up(serve_http):
    with serve_http(limits=Limits(read_s=3, connections=300)) as run:
        slow = [run.connect() for _ in range(200)]
        started = time.monotonic()
        for index, client in enumerate(slow):
            client.sendall((b"POST /json HTTP/1.1\r\nHost: x\r\n", GOOD[:-1], b"P", GOOD[:20])[index % 4])
        drip = threading.Event()

        def go_on():
            while not drip.wait(0.2):
                for index, client in enumerate(slow):
                    with contextlib.suppress(OSError):
                        client.send((b"X: y\r\n", b"", b"", b"")[index % 4])

        dripping = threading.Thread(target=go_on)
        dripping.start()
        times = times_of(run, 500)
        assert times[-5] < 0.25
        drip.set()
        dripping.join()
        for client in slow:
            assert client.recv(65_536).startswith(b"HTTP/1.1 408")
        assert time.monotonic() - started < 10
        for client in slow:
            client.close()
        assert run.stop() == ""


def test_clients_that_take_nothing_are_cut_off_and_hold_nobody_up(serve_http):
    with serve_http(limits=Limits(write_s=1.0)) as run:
        greedy = [run.connect(timeout=0.2) for _ in range(20)]
        for client in greedy:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            with contextlib.suppress(TimeoutError):
                client.sendall(b"GET /long HTTP/1.1\r\nHost:\r\n\r\n" * 200)
        times = times_of(run, 200)
        assert times[-5] < 0.25
        time.sleep(2.5)
        for client in greedy:
            with pytest.raises(ConnectionError):
                knock(client)
            client.close()
        assert run.stop() == ""


def knock(client):
    """Send a little, until that is answered by a reset."""
    for _ in range(50):
        client.send(b"x")
        time.sleep(0.05)


def test_a_storm_of_connections_is_told_503_and_those_within_are_served(serve_http):
    with serve_http(limits=Limits(connections=50)) as run:
        inside = [run.connect() for _ in range(50)]
        for client in inside:
            client.sendall(GOOD)
            assert client.recv(65_536).endswith(b"{}")
        told = 0
        for _ in range(20):
            outside = [run.connect() for _ in range(50)]
            for client in outside:
                with contextlib.suppress(ConnectionError):
                    answer = client.recv(65_536)
                    told += answer.startswith(b"HTTP/1.1 503")
                    assert not answer or b"Retry-After: " in answer
            for client in outside:
                client.close()
            inside[0].sendall(GOOD)
            assert inside[0].recv(65_536).endswith(b"{}")
        assert told >= 20 * 8
        inside.pop().close()  # a place that is free is free for the next, whoever is still being told
        time.sleep(0.1)
        with run.connect() as client:
            client.sendall(GOOD)
            assert client.recv(65_536).startswith(b"HTTP/1.1 200")
        for client in inside:
            client.close()
        assert run.stop() == ""


def test_those_who_are_refused_and_stay_do_not_keep_others_out(serve_http):
    with serve_http(limits=Limits(connections=10)) as run:
        inside = [run.connect() for _ in range(10)]
        for client in inside:
            client.sendall(GOOD)
            assert client.recv(65_536).endswith(b"{}")
        refused = [run.connect() for _ in range(100)]
        time.sleep(0.1)
        inside.pop().close()
        time.sleep(0.1)
        with run.connect() as client:
            client.sendall(GOOD)
            assert client.recv(65_536).startswith(b"HTTP/1.1 200")
        for client in refused + inside:
            client.close()
        assert run.stop() == ""


def test_clients_that_reset_leave_nothing_behind(serve_http):
    with serve_http() as run:
        before_kb = run.memory_kb
        for _ in range(1_500):
            client = run.connect()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sendall(random.choice((GOOD * 3, GOOD[:30], b"GET /long HTTP/1.1\r\nHost:\r\n\r\n" * 3)))
            client.close()
        assert times_of(run, 10)
        assert run.memory_kb - before_kb < 10_000
        assert run.stop() == ""
