"""Requests that were bent, torn and mixed at random: the server answers 4xx or 200, and lives."""

import json
import re
import socket

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

GOOD = [
    b'POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{"age":41}',
    b'POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"age\r\n5\r\n":41}\r\n0\r\n\r\n',
    b"GET /v2/models/churn HTTP/1.1\r\nHost: x\r\n\r\n",
    b"HEAD /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"POST /v2/models/churn/infer HTTP/1.1\r\nHost: x\r\nContent-Length: 75\r\n\r\n"
    b'{"inputs":[{"name":"age","shape":[1],"datatype":"FP64","data":[41.0, 1.5]}]}',
    b'POST /predict HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 12\r\n\r\n[{"age":41}]',
]
CHANGES = st.tuples(st.integers(0, 400), st.integers(0, 3), st.binary(max_size=6))


def bent(data, changes):
    """Return `data` with pieces replaced, cut out and put in."""
    for at, length, put in changes:
        place = at % (len(data) + 1)
        data = data[:place] + put + data[place + length :]
    return data


@settings(max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    picked=st.lists(st.sampled_from(GOOD), min_size=1, max_size=4),
    changes=st.lists(CHANGES, max_size=5),
    cut=st.booleans(),
)
def test_bent_requests_get_an_answer_that_is_no_server_error(server, picked, changes, cut):
    data = bent(b"".join(picked), changes)
    with server.connect() as client:
        for part in [data[: len(data) // 2], data[len(data) // 2 :]] if cut else [data]:
            try:
                client.sendall(part)
            except OSError:
                break
        try:
            client.shutdown(socket.SHUT_WR)
        except OSError:
            return
        answer = b""
        while part := client.recv(65_536):
            answer += part
    for code in re.findall(rb"HTTP/1\.1 ([0-9]{3}) ", answer):
        assert int(code) < 500 or code in {b"501", b"505"}  # another transfer coding, another version of HTTP


def test_it_lives_on(server, answer_of):
    with server.connect() as client:
        client.sendall(GOOD[0])
        code, _, body = answer_of(client)
    assert (code, json.loads(body)["model"]) == (200, "churn")
