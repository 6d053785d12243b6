"""Compressed bodies and compressed answers."""

import gzip
import json
import random
import time
import zlib

import pytest

from shiplap.engineer.deploy.serve.http.codings import CODINGS, Inflation, takes_gzip
from shiplap.engineer.deploy.serve.limits import Limits
from shiplap.engineer.deploy.serve.problem import ProblemError

NOISE = random.Random(0).randbytes(300_000)
BODY = b'{"age":41,"plan":"basic"}' * 100


def post(body, coding="gzip", *, path="/echo", headers=(), close=True):
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Encoding: {coding}", *headers]
    lines += [f"Content-Length: {len(body)}"] + (["Connection: close"] if close else [])
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def get(path, *headers):
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *headers, "Connection: close", "", ""]).encode()


def parsed(answer):
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    return int(lines[0].split()[1]), headers, body


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(BODY)),
        ("x-gzip", gzip.compress(BODY)),
        ("GZip", gzip.compress(BODY)),
        ("gzip", gzip.compress(BODY[:100]) + gzip.compress(b"") + gzip.compress(BODY[100:])),
        ("deflate", zlib.compress(BODY)),
        ("identity", BODY),
    ],
)
def test_a_compressed_body_is_read(served, coding, packed):
    code, _, body = parsed(served.ask(post(packed, coding)))
    assert (code, body) == (200, BODY)


@pytest.mark.parametrize("size", [1, 1_000, 65_535, 65_536, 65_537, 400_000, 3_000_000, 20_000_000])
@pytest.mark.parametrize("filling", [b"\0", NOISE])
def test_a_body_of_any_size_comes_out_as_it_went_in(size, filling):
    body = (filling * (size // len(filling) + 1))[:size]
    for coding, packed in (("gzip", gzip.compress(body, 1)), ("deflate", zlib.compress(body, 1))):
        assert Inflation(packed, coding, size).run() == body
        steps = Inflation(packed, coding, size)
        while (made := steps.run(10_000)) is None:
            pass
        assert made == body


def test_a_long_body_is_read_on_a_thread_while_others_are_answered(served):
    packed = gzip.compress(b"a" * 30_000_000)
    with served.connect() as slow, served.connect() as quick:
        slow.sendall(post(packed))
        waits = []
        for _ in range(50):
            start = time.perf_counter()
            quick.sendall(post(b"{}", "identity", close=False))
            while not quick.recv(65_536).endswith(b"{}"):
                pass
            waits.append(time.perf_counter() - start)
        data = b""
        while part := slow.recv(1 << 20):
            data += part
    assert len(data.partition(b"\r\n\r\n")[2]) == 30_000_000
    assert sorted(waits)[40] < 0.1


@pytest.mark.parametrize(
    "packed",
    [
        b"not gzip at all",
        gzip.compress(BODY)[:-1],
        gzip.compress(BODY)[:-9],
        gzip.compress(BODY)[:20],
        gzip.compress(BODY)[:-8] + b"\0" * 8,  # a checksum that does not fit
        gzip.compress(BODY) + b"more",
        gzip.compress(b"") * 2_000,
        gzip.compress(NOISE)[:-1],
        zlib.compress(BODY),
    ],
)
def test_what_cannot_be_decompressed_is_refused(served, packed):
    code, _, body = parsed(served.ask(post(packed)))
    problem = json.loads(body)
    assert code == problem["status"] == 400
    assert problem["field"] == "Content-Encoding"
    assert "cannot be decompressed" in problem["detail"]


def test_deflate_has_one_stream():
    with pytest.raises(ProblemError, match="follows its end"):
        Inflation(zlib.compress(b"a") * 2, "deflate", 100).run()


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip", "gzip, identity", "magic"])
def test_an_unknown_coding_is_told_the_known_ones(served, coding):
    code, headers, body = parsed(served.ask(post(BODY, coding), end=False))
    assert code == 415
    assert headers["accept-encoding"] == "gzip, deflate"
    assert json.loads(body)["value"] == coding


def test_a_bomb_is_refused_before_it_goes_off(served):
    bomb = gzip.compress(b"\0" * (Limits().body_bytes + 1))
    assert len(bomb) < 40_000
    before_kb = served.memory_kb
    code, _, body = parsed(served.ask(post(bomb)))
    assert code == 413
    assert "decompressed" in json.loads(body)["detail"]
    for _ in range(20):
        assert parsed(served.ask(post(bomb)))[0] == 413
    assert served.memory_kb - before_kb < 120_000


def test_bodies_that_wait_to_be_decompressed_are_limited_in_number(serve_http):
    packed = gzip.compress(b"a" * 20_000_000)
    with serve_http(limits=Limits(queue=2)) as run:
        answers = run.ask(post(packed, path="/json", close=False) * 12)
        codes = [part[:3] for part in answers.split(b"HTTP/1.1 ")[1:]]
        assert len(codes) == 12
        assert codes.count(b"200") >= 2
        assert set(codes) == {b"200", b"503"}
        assert b"Retry-After: 1" in answers
        assert run.stop() == ""


def test_a_client_that_leaves_while_its_body_is_read_harms_nobody(served):
    for _ in range(5):
        with served.connect() as client:
            client.sendall(post(gzip.compress(b"a" * 10_000_000)))
    assert parsed(served.ask(post(gzip.compress(BODY))))[0] == 200


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("deflate, br", False),
        ("gzip, deflate, br;q=1.0", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("gzip;q=0.001", True),
        ("gzip; q=0.5", True),
        ("gzip ; q = 0.5", True),
        ("*", True),
        ("*;q=0", False),
        ("*;q=0, gzip;q=0.3", True),
        ("gzip;q=0, *", False),
        ("identity, gzip;q=0.5", False),
        ("identity;q=0.5, gzip;q=0.5", True),
        ("identity;q=0, gzip;q=0.1", True),
        ("gzip;q=x", False),
        ("gzip;q=2", False),
        ("gzip;q=nan", False),
        (",, ,gzip", True),
        ("gzipped", False),
    ],
)
def test_accept_encoding_is_read_as_rfc_9110_says(accepted, takes):
    assert takes_gzip(accepted) is takes


def test_a_long_answer_is_compressed_for_who_takes_it(served):
    _, _, plain = parsed(served.ask(get("/long")))
    code, headers, body = parsed(served.ask(get("/long", "Accept-Encoding: gzip, deflate")))
    assert code == 200
    assert headers["content-encoding"] == "gzip"
    assert headers["vary"] == "Accept-Encoding"
    assert int(headers["content-length"]) == len(body) < len(plain) / 20
    assert gzip.decompress(body) == plain


def test_head_tells_of_the_compressed_answer(served):
    request = get("/long", "Accept-Encoding: gzip")
    wanted = parsed(served.ask(request))[1]
    _, headers, body = parsed(served.ask(b"HEAD" + request[3:]))
    assert body == b""
    assert {name: headers[name] for name in ("content-length", "content-encoding", "vary")} == {
        name: wanted[name] for name in ("content-length", "content-encoding", "vary")
    }


def test_who_takes_no_gzip_gets_none_and_caches_are_told_so(served):
    for accepted in ("", "Accept-Encoding: br", "Accept-Encoding: gzip;q=0"):
        _, headers, body = parsed(served.ask(get("/long", *filter(None, [accepted]))))
        assert "content-encoding" not in headers
        assert headers["vary"] == "Accept-Encoding"
        assert json.loads(body)[-1] == 0


@pytest.mark.parametrize("size", [2, 16_384])
def test_a_short_answer_goes_as_it_is(served, size):
    body = b'"' + b"a" * (size - 2) + b'"'
    for path in ("/json", "/echo"):
        headers, answer = parsed(served.ask(post(body, "identity", path=path, headers=["Accept-Encoding: gzip"])))[1:]
        assert "content-encoding" not in headers
        assert "vary" not in headers
        assert answer == body


@pytest.mark.parametrize("path", ["/json", "/echo"])
def test_the_limit_between_short_and_long_is_a_field(serve_http, path):
    with serve_http(limits=Limits(gzip_bytes=100)) as run:
        for size, coded in ((100, False), (101, True)):
            request = post(b"1" * size, "identity", path=path, headers=["Accept-Encoding: gzip"])
            with run.connect() as client:  # the second time, the head is known by its bytes
                for _ in range(2):
                    client.sendall(request.replace(b"Connection: close\r\n", b""))
                    _, headers, body = parsed(client.recv(65_536))
                    assert ("content-encoding" in headers) is coded
                    assert (gzip.decompress(body) if coded else body) == b"1" * size
        assert run.stop() == ""


def test_a_very_long_answer_is_compressed_on_a_thread_in_its_place(served):
    asked = [post(b"1" * 10_000_000, "identity", headers=["Accept-Encoding: gzip"], close=False)]
    asked += [
        post(b"{}", "identity", close=False),
        post(b"2" * 1_000_000, "identity", headers=["Accept-Encoding: gzip"]),
    ]
    rest = served.ask(b"".join(asked))
    lengths = []
    while rest:
        _, headers, rest = parsed(rest)
        size = int(headers["content-length"])
        body, rest = rest[:size], rest[size:]
        lengths.append(len(gzip.decompress(body)) if "content-encoding" in headers else size)
    assert lengths == [10_000_000, 2, 1_000_000]


def test_where_too_much_is_being_compressed_answers_go_as_they_are(serve_http):
    asked = post(b"1" * 5_000_000, "identity", headers=["Accept-Encoding: gzip"], close=False)
    with serve_http(limits=Limits(queue=1)) as run:
        answers = run.ask(asked * 4)
        assert answers.count(b"HTTP/1.1 200") == 4
        assert 1 <= answers.count(b"Content-Encoding: gzip") < 4
        assert run.stop() == ""


def test_every_coding_is_one_that_zlib_knows():
    assert set(CODINGS) == {"gzip", "x-gzip", "deflate"}
