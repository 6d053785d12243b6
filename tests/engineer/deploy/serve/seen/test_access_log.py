"""The access log: what a line says and never says, rotation, and what becomes of it when it cannot be written."""

import json
import os
import re
import signal
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from shiplap.core.errors import InputError
from shiplap.engineer.deploy.serve.seen.access_log import AccessLog

ROW = b'{"age": 41, "plan": "basic"}'
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
MEMBERS = [
    *("time", "id", "trace_id", "client", "method", "path", "status", "bytes", "ms"),
    *("model", "version", "protocol", "rows", "key"),
]


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_a_line_says_who_asked_what_and_what_came_of_it(watch, ship, tmp_path):
    log = tmp_path / "access.log"
    before = datetime.now(UTC)
    with watch(ship, log=str(log)) as server:
        headers = {"traceparent": PARENT, "authorization": "Bearer secret"}
        first = httpx.post(f"{server.url}/predict?token=hidden", content=ROW, headers=headers)
        httpx.post(f"{server.url}/predict", content=b"[" + ROW + b"," + ROW + b"]")
        httpx.post(f"{server.url}/predict", content=b'{"age": "classified"}', headers={"X-Request-Id": "mine"})
        httpx.get(f"{server.url}/nowhere")
        assert server.stop()[1] == ""
    one, two, three, four = found = lines(log)
    assert all(list(line) == MEMBERS for line in found)
    assert one["id"] == first.headers["X-Request-Id"]
    assert one["trace_id"] == PARENT.split("-")[1]
    assert (one["client"], one["method"], one["path"], one["status"]) == ("127.0.0.1", "POST", "/predict", 200)
    assert (one["model"], one["version"], one["protocol"]) == ("churn", first.json()["ship"][:12], "predict")
    assert (one["rows"], one["key"], one["bytes"]) == (1, "shop", len(first.content))
    assert 0 < one["ms"] < 1_000
    assert before <= datetime.fromisoformat(one["time"]) <= datetime.now(UTC)
    assert one["time"].endswith("Z")
    assert (two["rows"], two["trace_id"], two["key"]) == (2, None, None)
    assert (three["id"], three["status"]) == ("mine", 422)
    assert (four["model"], four["protocol"], four["rows"], four["status"]) == (None, None, None, 404)
    written = log.read_text()
    for secret in ("hidden", "token", "secret", "classified", "basic"):
        assert secret not in written
    assert stat.S_IMODE(log.stat().st_mode) == 0o640 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_nothing_in_a_line_acts_on_a_terminal(watch, ship, tmp_path):
    log = tmp_path / "access.log"
    targets = ["/a%0a%1b%5b31mred", "/%c2%9b31m", "/%E2%80%AE", "/%22%5c", "/" + "x" * 3_000, "/%ff", "/ok;a=1"]
    with watch(ship, log=str(log)) as server:
        for target in targets:
            with server.connect() as client:
                client.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
                assert client.recv(100).startswith(b"HTTP/1.1 40")
        server.stop()
    data = log.read_bytes()
    assert data.count(b"\n") == len(targets)
    assert re.fullmatch(rb"[\x20-\x7e\n]*", data)
    paths = [line["path"] for line in lines(log)]
    assert paths[0] == "/a%0A%1B%5B31mred"
    assert paths[1:4] == ["/%C2%9B31m", "/%E2%80%AE", "/%22%5C"]
    assert len(paths[4]) < 1_100
    assert paths[6] == "/ok;a=1"


def test_standard_output_is_a_log_too(watch, ship):
    with watch(ship, log="-") as server:
        for _ in range(30):
            httpx.post(f"{server.url}/predict", content=ROW)
        out, err = server.stop()
    assert err == ""
    assert [json.loads(line)["status"] for line in out.splitlines()] == [200] * 30


def test_a_log_that_was_moved_away_is_begun_anew_on_a_signal(watch, ship, tmp_path, eventually):
    log, moved = tmp_path / "access.log", tmp_path / "access.log.1"
    with watch(ship, log=str(log)) as server:
        httpx.post(f"{server.url}/predict", content=ROW)
        assert eventually(lambda: log.stat().st_size)
        log.rename(moved)
        httpx.post(f"{server.url}/predict", content=ROW)
        server.signal(signal.SIGHUP)
        assert eventually(log.exists)
        httpx.get(f"{server.url}/nowhere")
        assert server.stop()[1] == ""
    assert [line["status"] for line in lines(moved)] == [200, 200]
    assert [line["status"] for line in lines(log)] == [404]


def test_a_full_disk_holds_nobody_up_and_is_said_once(watch, ship, values, eventually):
    with watch(ship, log="/dev/full") as server:
        lost = ("shiplap_access_log_lost_total", "worker=0")
        for count in (10, 20, 30):
            for _ in range(10):
                assert httpx.post(f"{server.url}/predict", content=ROW).status_code == 200
            assert eventually(lambda count=count: values(server.page().body)[lost] == count)
        _, err = server.stop()
    assert err == "the access log '/dev/full' cannot be written: No space left on device; lines are lost\n"


CRAMPED = """
import asyncio, resource, sys, time
from shiplap.engineer.deploy.serve.http.exchange import Head, Route
from shiplap.engineer.deploy.serve.seen.access_log import AccessLog
from shiplap.engineer.deploy.serve.seen.answered import Answered

head = Head("GET", "/", "", {}, (), "1.1", True, 0, "", Route("GET", "/", None), {}, True)
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)


async def main():
    log = AccessLog(sys.argv[1])
    log.start()
    for size in (700, most):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, most))
        for number in range(5):
            log.note(Answered(0.0, 0.0, str(number), head, 200, 0, 0, None, 1, "127.0.0.1", "http", None))
        while not log.lost:
            await asyncio.sleep(0.01)
    log.close()
    print(log.lost)


asyncio.run(main())
"""


def test_a_line_that_was_cut_short_spoils_no_other(tmp_path):
    """The disk takes a part of what is written, and later there is room again."""
    log = tmp_path / "access.log"
    run = subprocess.run([sys.executable, "-c", CRAMPED, str(log)], capture_output=True, text=True, check=True)
    assert run.stderr == f"the access log '{log}' cannot be written: File too large; lines are lost\n"
    written = log.read_bytes().splitlines()
    ids = []
    for line in written:
        try:
            ids.append(json.loads(line)["id"])
        except ValueError:
            ids.append(None)
    whole = ids.index(None)
    assert ids == [*map(str, range(whole)), None, *map(str, range(5))]
    assert int(run.stdout) == 5 - whole


def test_a_pipe_that_was_closed_holds_nobody_up(watch, ship, values, eventually):
    with watch(ship, log="-") as server:
        assert server.process.stdout is not None
        server.process.stdout.close()
        for _ in range(5):
            assert httpx.post(f"{server.url}/predict", content=ROW).status_code == 200
        lost = ("shiplap_access_log_lost_total", "worker=0")
        assert eventually(lambda: values(server.page().body)[lost] == 5)
        server.signal(signal.SIGTERM)
        assert server.process.wait(timeout=20) == 0


def test_a_pipe_that_nobody_reads_loses_lines_and_no_answer(watch, ship, values, tmp_path):
    """The buffer is of limited length; what does not fit is counted."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    request = b"GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n"
    count = 40_000
    with watch(ship, log=str(pipe)) as server:
        with server.connect() as client:
            for _ in range(count // 50):
                client.sendall(request * 50)
                answers = b""
                while answers.count(b"HTTP/1.1 200") < 50:
                    answers += client.recv(65_536)
        lost = values(server.page().body)["shiplap_access_log_lost_total", "worker=0"]
        assert 0 < lost < count
        server.signal(signal.SIGTERM)
        assert server.process.wait(timeout=20) == 0
    written = os.read(reader, 1_000_000)
    os.close(reader)
    for line in written.splitlines():
        assert json.loads(line)["status"] == 200


def test_lines_of_several_processes_do_not_mix_in_one_pipe(watch, ship, tmp_path):
    read, write = os.pipe()
    requests = (
        b"GET /v2 HTTP/1.1\r\nHost: x\r\n\r\n" * 500 + b"GET /v2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    with watch(ship, log="-", stdout=write) as one, watch(ship, log="-", stdout=write, worker=1) as two:
        os.close(write)
        with (tmp_path / "out").open("wb") as out:
            collected = subprocess.Popen(["cat"], stdin=read, stdout=out)
        os.close(read)
        for _ in range(3):
            for server in (one, two):
                with server.connect() as client:
                    client.sendall(requests)
                    while client.recv(65_536):
                        pass
        one.stop()
        two.stop()
    assert collected.wait(timeout=20) == 0
    assert len(lines(tmp_path / "out")) == 2 * 3 * 501


def test_of_good_answers_a_sample_and_of_refusals_all_are_wanted(tmp_path):
    log = AccessLog(str(tmp_path / "access.log"), every=10)
    assert sum(log.wants(200) for _ in range(100)) == 10
    assert all(log.wants(status) for status in (400, 422, 503))
    with pytest.raises(InputError, match="cannot be 0"):
        AccessLog(str(tmp_path / "access.log"), every=0)


def test_a_log_that_cannot_be_opened_is_one_line(tmp_path):
    with pytest.raises(InputError) as caught:
        AccessLog(str(tmp_path / "no" / "access.log"))
    assert "No such file or directory (name a file" in str(caught.value)
