"""Requests that are wrong in one way or another: good ones of every protocol, broken by chance."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from random import Random

from serving_bodies import INSTANCES, OBJECT, OBJECTS, SPLIT, TENSORS, compact
from serving_load import raw
from serving_models import Row

_PATHS = ["/", "/health", "/openapi.json", "/ping", "/v2", "/v2/models/late", "/v1/models/late", "/predict/late", "/x"]
_METHODS = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "BREW", "p\x00st", ""]
_VALUES = [None, True, -1, 1e308, 10**400, "", "NaN", "\ud800", "x" * 5_000, [], {}, [[[]]], {"a": {"b": 1}}]
_HEADERS = [
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999",
    b"Content-Length: 5\r\nContent-Length: 6",
    b"Content-Length: 0x10",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked\r\nContent-Length: 3",
    b"Expect: 200-maybe",
    b"Content-Encoding: gzip",
    b"Content-Encoding: br",
    b"Connection: upgrade\r\nUpgrade: websocket",
    b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
    b"Inference-Header-Content-Length: -7",
    b"Inference-Header-Content-Length: 12",
    b"Accept: image/png",
    b"Accept-Encoding: \xff",
    b"Traceparent: 00-zz-zz-zz",
    b": nameless",
    b"No colon at all",
    b"Host: a\r\nHost: b",
    b" folded: yes",
    b"X-Null: \x00",
    b"X-Long: " + b"y" * 20_000,
    *(
        f"Content-Type: {kind}".encode()
        for kind in (
            "text/csv",
            "application/x-ndjson",
            "application/octet-stream",
            ";;",
            "application/vnd.apache.arrow.stream",
        )
    ),
]

Break = Callable[[Random, Sequence[Row]], bytes]


def malformed(chance: Random, rows: Sequence[Row]) -> bytes:
    """Return the bytes of a request, broken in one way."""
    return chance.choice(_BREAKS)(chance, rows)


def good(chance: Random, rows: Sequence[Row]) -> bytes:
    """Return a request that would be answered."""
    dialect = chance.choice([OBJECT, OBJECTS, TENSORS, INSTANCES, SPLIT])
    return dialect.request(rows[: chance.choice([1, 1, 3, 50])])


def noise(chance: Random, rows: Sequence[Row]) -> bytes:
    return chance.randbytes(chance.randrange(1, 3_000))


def flipped(chance: Random, rows: Sequence[Row]) -> bytes:
    data = bytearray(good(chance, rows))
    for _ in range(chance.randrange(1, 12)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def cut(chance: Random, rows: Sequence[Row]) -> bytes:
    data = good(chance, rows)
    return data[: chance.randrange(1, len(data))]


def spliced(chance: Random, rows: Sequence[Row]) -> bytes:
    first, second = good(chance, rows), good(chance, rows)
    return first[: chance.randrange(len(first))] + second[chance.randrange(len(second)) :]


def headers(chance: Random, rows: Sequence[Row]) -> bytes:
    line, _, rest = good(chance, rows).partition(b"\r\n")
    return b"\r\n".join([line, *chance.sample(_HEADERS, chance.randrange(1, 4)), rest])


def many_headers(chance: Random, rows: Sequence[Row]) -> bytes:
    line, _, rest = good(chance, rows).partition(b"\r\n")
    return b"\r\n".join([line, *(b"X-%d: y" % place for place in range(chance.randrange(200, 4_000))), rest])


def line(chance: Random, rows: Sequence[Row]) -> bytes:
    target = chance.choice([*_PATHS, "/predict", "*", "http://a/predict", "/%00%ff%", "/../..", "/" + "a" * 9_000, "é"])
    version = chance.choice(["HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/9.9", "HTTP", ""])
    return f"{chance.choice([*_METHODS, 'POST'])} {target} {version}\r\nHost: a\r\n\r\n".encode()


def chunks(chance: Random, rows: Sequence[Row]) -> bytes:
    body = compact(rows[0])
    size = chance.choice([b"%x" % len(body), b"-1", b"zz", b"ffffffffffffffffff", b"%x" % (len(body) + 9), b"", b"3"])
    end = chance.choice([b"0\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"", b"0\r\n" + b"X: y\r\n" * 4_000])
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + size + b"\r\n" + body + b"\r\n" + end


def values(chance: Random, rows: Sequence[Row]) -> bytes:
    row = dict(rows[0])
    for name in chance.sample(list(row), chance.randrange(1, 4)):
        row[name] = chance.choice(_VALUES)
    return chance.choice([OBJECT, OBJECTS, TENSORS, INSTANCES, SPLIT]).request([row])


def texts(chance: Random, rows: Sequence[Row]) -> bytes:
    body = chance.choice(
        [
            b"[" * chance.randrange(1, 100_000),
            b'{"a":' * chance.randrange(1, 20_000),
            b"nan",
            b'{"x0": NaN}',
            b'"' + b"\xff\xfe" * 9,
            b'{"x0": 1' + b"0" * chance.randrange(1, 9_000) + b"}",
            b"{}",
            b"[]",
            b"[1, {}]",
            b"null",
            b"",
            b'{"inputs": 3}',
            b'{"inputs": [{"name": "x0", "shape": [-1], "datatype": "FP64", "data": [1]}]}',
            b'{"inputs": [{"name": "x0", "shape": [1000000000000], "datatype": "FP64", "data": []}]}',
            b'{"inputs": [{"name": "x0", "shape": [1], "datatype": "FP99", "data": [1]}]}',
            b'{"instances": [[1, 2], 3]}',
            b'{"dataframe_split": {"columns": ["x0"], "data": [[1, 2], []]}}',
            b"x0,x1\r\n1",
            gzip.compress(compact(rows[0]))[: chance.randrange(4, 60)],
        ]
    )
    path = chance.choice([OBJECT.path, TENSORS.path, INSTANCES.path, SPLIT.path, "/score", "/predictions/late"])
    kind = chance.choice(
        ["application/json", "text/csv", "application/x-ndjson", "application/vnd.apache.arrow.stream"]
    )
    return raw(path, body, media_type=kind)


_BREAKS: list[Break] = [
    noise,
    flipped,
    flipped,
    cut,
    spliced,
    headers,
    headers,
    many_headers,
    line,
    chunks,
    values,
    texts,
]
