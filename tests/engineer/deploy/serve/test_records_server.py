"""The record of real servers: what is on the disk when they answer, die, share a store, or have no room to write."""

from __future__ import annotations

import http.client
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shiplap.core.errors import StoreError
from shiplap.core.store.predictions import Predictions
from shiplap.methods.traffic import merge_packed, unpack

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks and signals")

Make = Callable[..., Path]
ROW = {"age": 41, "plan": "basic", "since": "2013-03-01", "paid": True}
SERVE = """
import asyncio, os, resource, sys
from pathlib import Path
import msgspec, uvloop
from shiplap.engineer.deploy.serve import Limits
from shiplap.engineer.deploy.serve.http.listener import listen
from shiplap.engineer.deploy.serve.http.server import Server
from shiplap.engineer.deploy.serve.models.fleet import Fleet, Service
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.models.jobs import Jobs
from shiplap.engineer.deploy.serve.protocols.outcomes import Outcomes
from shiplap.engineer.deploy.serve.records import Recorder, Records
from shiplap.engineer.deploy.serve.site import make_routes
from shiplap.scoring import load

told = msgspec.json.decode(sys.argv[2])
if told["file_bytes"]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (told["file_bytes"],) * 2)
limits = Limits(rows=1_000)
jobs = Jobs(most=8)
hosted = [Hosted(load(path), limits, jobs) for path in sys.argv[3:]]
fleet = Fleet({each.name: Service(each.name, (each,)) for each in hosted})
listeners = [listen("127.0.0.1", 0, backlog=64) for _ in range(told["workers"])]

async def answer(listener):
    recorder = Recorder(Path(sys.argv[1]), msgspec.convert(told["options"], Records))
    for each in hosted:
        each.tap(recorder.tap(each))
    server = Server(make_routes(fleet, limits, [Outcomes(fleet, recorder)]), limits)
    await server.start(listener)
    os.write(1, b"ready\\n")
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)
    await server.drain()
    recorder.close()

print(*(listener.getsockname()[1] for listener in listeners), flush=True)
for mine in listeners[1:]:
    if not os.fork():
        break
else:
    mine = listeners[0]
uvloop.run(answer(mine))
os._exit(0)
"""


class Site:
    """A server whose store lies in a folder."""

    def __init__(self, process: subprocess.Popen[bytes], ports: list[int], folder: Path) -> None:
        self.process, self.ports = process, ports
        self.predictions = Predictions(folder)

    def post(self, path: str, body: object, *, port: int = 0, **headers: str) -> tuple[int, dict[str, str], Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[port], timeout=30)
        sent = body if isinstance(body, bytes) else msgspec.json.encode(body)
        connection.request("POST", path, sent, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, msgspec.json.decode(content)

    def stop(self) -> str:
        """End in peace, and return what was said on standard error."""
        return self.process.communicate(timeout=30)[1].decode()


@contextmanager
def serving(
    folder: Path, *ships: Path, workers: int = 1, file_bytes: int = 0, options: dict[str, Any] | None = None
) -> Iterator[Site]:
    store = folder / ".shiplap"
    store.mkdir(exist_ok=True)
    told = {"workers": workers, "file_bytes": file_bytes, "options": {"every_s": 0.2, **(options or {})}}
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(store), msgspec.json.encode(told).decode(), *map(str, ships)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONWARNINGS": "error"},
    )
    try:
        assert process.stdout is not None
        ports = [int(port) for port in process.stdout.readline().split()]
        assert len(ports) == workers, process.communicate()[1].decode()
        for _ in ports:
            assert process.stdout.readline() == b"ready\n"
        yield Site(process, ports, store)
    finally:
        process.kill()
        process.communicate()


def until(holds: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.02)


def counted(predictions: Predictions) -> int:
    try:
        return sum(window.rows for window in predictions.windows("churn"))
    except StoreError:  # not made yet
        return 0


@pytest.fixture(scope="module")
def site(ship: Path, regression_ship: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(tmp_path_factory.mktemp("site"), ship, regression_ship, options={"share": 1.0}) as made:
        yield made
        assert made.stop() == ""


def test_an_answer_is_found_again_by_its_id_and_joined_with_its_outcome(site: Site) -> None:
    status, headers, answer = site.post("/predict/churn", ROW)
    assert status == 200
    key = headers["x-request-id"]
    _, many, answers = site.post("/predict/churn", [ROW, {"age": 80}, {"age": 20}], **{"X-Request-Id": "order-7"})
    assert many["x-request-id"] == "order-7"
    until(lambda: len(site.predictions.rows("churn")) >= 4)
    outcomes = [
        {"id": key, "outcome": "yes"},
        {"id": "order-7/0", "outcome": "no"},
        {"id": "order-7/2", "outcome": "no"},
    ]
    status, _, told = site.post("/outcomes/churn", outcomes)
    assert (status, told) == (200, {"accepted": 3, "new": 3, "known": 0, "corrected": 0, "joined": 3})
    rows = {each.id: each for each in site.predictions.rows("churn")}
    assert (rows[key].row, rows[key].label, rows[key].outcome) == (ROW, answer["prediction"], "yes")
    assert [rows[name].label for name in ("order-7", "order-7/1", "order-7/2")] == [
        each["prediction"] for each in answers
    ]
    assert rows["order-7/1"].row == {"age": 80}
    assert [rows[name].outcome for name in ("order-7", "order-7/1", "order-7/2")] == ["no", None, "no"]


def test_rows_of_a_long_body_keep_their_places(ship: Path, tmp_path: Path) -> None:
    rows = [{"age": place, "plan": "x" * (20_000 if place == 0 else 10)} for place in range(900)]
    with serving(tmp_path, ship, options={"share": 1.0, "value_bytes": 100}) as site:
        assert site.post("/predict", rows, **{"X-Request-Id": "long"})[0] == 200
        until(lambda: counted(site.predictions) == 900)
        until(lambda: len(site.predictions.rows("churn")) == 900)
        kept = {each.id: each.row["age"] for each in site.predictions.rows("churn")}
        assert kept == {f"long/{place}" if place else "long": place for place in range(900)}
        assert site.stop() == ""


def test_outcomes_come_as_one_as_many_and_as_lines(site: Site) -> None:
    one = {"id": "one", "outcome": "no", "at": "2026-03-01T12:00:00Z"}
    assert site.post("/outcomes/churn", one)[2]["new"] == 1
    again = site.post("/outcomes/churn", [one, {**one, "outcome": "yes", "at": 1.7e9}])[2]
    assert (again["accepted"], again["known"], again["corrected"], again["joined"]) == (2, 1, 1, 0)
    lines = b'{"id": "l1", "outcome": 2}\n\n{"id": "l2", "outcome": -3.5}\n'
    status, _, told = site.post("/outcomes/delay", lines, **{"Content-Type": "application/x-ndjson"})
    assert (status, told["new"]) == (200, 2)
    assert [(each.outcome, each.at) for each in site.predictions.outcomes("churn", of="one")] == [
        ("no", 1_772_366_400.0),
        ("yes", 1.7e9),
    ]
    assert [each.outcome for each in site.predictions.outcomes("delay")] == [2.0, -3.5]


def test_a_thousand_outcomes_are_read_piece_by_piece(site: Site) -> None:
    outcomes = [{"id": f'big }}, {number} "', "outcome": "no"} for number in range(1_000)]
    assert site.post("/outcomes/churn", outcomes)[2]["new"] == 1_000
    assert site.post("/outcomes/churn", [*outcomes, outcomes[0]])[0] == 413


@pytest.mark.parametrize(
    ("path", "body", "status", "told"),
    [
        ("/outcomes", {"id": "a", "outcome": "no"}, 404, {"expected": "/outcomes/churn, /outcomes/delay"}),
        ("/outcomes/churns", {"id": "a", "outcome": "no"}, 404, {"hint": "did you mean 'churn'?"}),
        ("/outcomes/churn", b"", 400, {}),
        ("/outcomes/churn", b"[{]", 400, {}),
        ("/outcomes/churn", b'{"id": "a", "outcome": NaN}', 400, {}),
        ("/outcomes/churn", [[1]], 422, {"row": 0}),
        ("/outcomes/churn", {"outcome": "no"}, 422, {"detail": "Object missing required field `id`"}),
        ("/outcomes/churn", {"id": "", "outcome": "no"}, 422, {}),
        ("/outcomes/churn", {"id": "x" * 161, "outcome": "no"}, 422, {}),
        ("/outcomes/churn", {"id": "a"}, 422, {}),
        ("/outcomes/churn", {"id": "a", "outcome": "maybe"}, 422, {"field": "outcome", "expected": "one of no, yes"}),
        ("/outcomes/churn", {"id": "a", "outcome": None}, 422, {"value": "null"}),
        ("/outcomes/churn", {"id": "a", "outcome": ["no"]}, 422, {"value": '["no"]'}),
        ("/outcomes/churn", {"id": "a", "outcome": True}, 422, {"value": True}),
        ("/outcomes/delay", {"id": "a", "outcome": True}, 422, {"expected": "a number"}),
        ("/outcomes/delay", {"id": "a", "outcome": "3"}, 422, {"value": "3"}),
        ("/outcomes/churn", {"id": "a", "outcome": "no", "at": 1.7e12}, 422, {"field": "at"}),
        ("/outcomes/churn", {"id": "a", "outcome": "no", "at": "yesterday"}, 422, {"value": "yesterday"}),
        (
            "/outcomes/churn",
            [{"id": "a", "outcome": "no"}, {"id": "b", "outcome": "maybe"}],
            422,
            {"row": 1, "detail": "row 1: expected one of no, yes"},
        ),
    ],
)
def test_what_is_no_outcome_is_refused_and_nothing_is_written(
    site: Site, path: str, body: object, status: int, told: dict[str, Any]
) -> None:
    before = len(site.predictions.outcomes("churn")), len(site.predictions.outcomes("delay"))
    found, _, problem = site.post(path, body)
    assert (found, problem["status"]) == (status, status)
    assert {key: problem.get(key) for key in told} == told
    assert (len(site.predictions.outcomes("churn")), len(site.predictions.outcomes("delay"))) == before


def test_outcomes_are_described(site: Site) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.ports[0], timeout=30)
    connection.request("GET", "/openapi.json")
    described = msgspec.json.decode(connection.getresponse().read())["paths"]
    connection.close()
    assert "/outcomes" not in described
    row = described["/outcomes/churn"]["post"]["requestBody"]["content"]["application/json"]["schema"]["anyOf"][0]
    assert row["properties"]["outcome"] == {"enum": ["no", "yes"]}


def ask(site: Site, n_requests: int, port: int = 0) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.ports[port], timeout=30)
    for number in range(n_requests):
        connection.request("POST", "/predict", msgspec.json.encode({**ROW, "age": number % 100}))
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
    connection.close()


def test_kill_9_leaves_the_store_whole_and_costs_a_second_at_most(ship: Path, tmp_path: Path) -> None:
    with serving(tmp_path, ship, options={"share": 1.0, "every_s": 0.5}) as site:
        sent = 0
        answered = []
        while sent < 600:
            ask(site, 20)
            sent += 20
            answered.append((time.monotonic(), sent))
        killed = time.monotonic()
        site.process.send_signal(signal.SIGKILL)
        site.process.wait()
        due = max((count for moment, count in answered if moment < killed - 1.0), default=0)
        assert counted(site.predictions) >= due
        assert len(site.predictions.rows("churn")) >= due
    db = sqlite3.connect(tmp_path / ".shiplap" / "predictions.db")
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()
    with serving(tmp_path, ship) as site:
        before = counted(site.predictions)
        ask(site, 5)
        assert site.stop() == ""
        assert counted(site.predictions) == before + 5


def test_several_workers_write_to_one_store(ship: Path, tmp_path: Path) -> None:
    with serving(tmp_path, ship, workers=3, options={"share": 1.0}) as site:
        threads = [threading.Thread(target=ask, args=(site, 150, port)) for port in (0, 1, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        told = [site.post("/outcomes", {"id": f"w{port}", "outcome": "no"}, port=port)[2]["new"] for port in (0, 1, 2)]
        assert told == [1, 1, 1]
        until(lambda: counted(site.predictions) == 450)
        until(lambda: len(site.predictions.rows("churn")) == 450)
        windows = site.predictions.windows("churn")
        assert len({window.worker for window in windows}) == 3
        whole = unpack(merge_packed(window.traffic for window in windows))
        age = whole.inputs["age"]
        assert (age.rows, age.low, age.high) == (450, 0.0, 99.0)
        assert sorted(age.counts.tolist()) == [3] * 50 + [6] * 50
        assert site.stop() == ""


def test_a_full_disk_stops_no_answer_and_is_said_once(ship: Path, tmp_path: Path) -> None:
    with serving(tmp_path, ship, file_bytes=150_000, options={"share": 1.0}) as site:
        began = time.monotonic()
        while time.monotonic() - began < 4:
            ask(site, 50)
        status, headers, problem = site.post("/outcomes", [{"id": f"o{n}" * 20, "outcome": "no"} for n in range(1_000)])
        assert (status, headers["retry-after"]) == (503, "10"), problem
        ask(site, 5)
        said = site.stop()
    assert said.count("predictions are not recorded for now, and serving goes on") == 1
    assert said.count("\n") == 1


def test_a_store_that_is_held_by_somebody_delays_no_answer(ship: Path, tmp_path: Path) -> None:
    with serving(tmp_path, ship, options={"share": 1.0}) as site:
        ask(site, 1)
        until(lambda: counted(site.predictions) == 1)
        other = sqlite3.connect(tmp_path / ".shiplap" / "predictions.db", isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        ask(site, 500)
        taken = time.monotonic() - began
        other.execute("ROLLBACK")
        other.close()
        until(lambda: counted(site.predictions) == 501)
        assert taken < 5
        assert site.stop() == ""


def test_another_process_reads_and_forgets_while_the_server_goes_on(ship: Path, tmp_path: Path) -> None:
    with serving(tmp_path, ship, options={"share": 1.0}) as site:
        site.post("/predict", ROW, **{"X-Request-Id": "keep"})
        site.post("/predict", ROW, **{"X-Request-Id": "erase"})
        until(lambda: len(site.predictions.rows("churn")) == 2)
        code = (
            "import sys; from pathlib import Path; from shiplap.core.store import open_store\n"
            "with open_store(Path(sys.argv[1])) as store:\n"
            "    print(*(each.id for each in store.predictions.rows('churn')), store.predictions.forget(['erase']))"
        )
        reader = [sys.executable, "-c", code, str(tmp_path)]
        assert subprocess.run(reader, check=True, capture_output=True, text=True).stdout == "keep erase 1\n"
        site.post("/predict", ROW, **{"X-Request-Id": "erase"})
        ask(site, 3)
        until(lambda: len(site.predictions.rows("churn")) == 4)
        assert "erase" not in {each.id for each in site.predictions.rows("churn")}


def test_the_example_of_the_documents_reads_what_was_recorded(ship: Path, tmp_path: Path) -> None:
    page = (Path(__file__).parents[4] / "docs" / "serving.md").read_text(encoding="utf-8")
    (example,) = re.findall(
        r"^```python\n(.*?)^```", page.partition("## What is recorded")[2], re.MULTILINE | re.DOTALL
    )[:1]
    with serving(tmp_path, ship, options={"share": 1.0}) as site:
        site.post("/predict", ROW, **{"X-Request-Id": "9f1c22ab04-1b"})
        until(lambda: len(site.predictions.rows("churn")) == 1)
        site.post("/outcomes", {"id": "9f1c22ab04-1b", "outcome": "yes"})
        run = [sys.executable, "-c", example]
        said = subprocess.run(run, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert said == f"9f1c22ab04-1b {ROW} no yes\n1 0 41.0 41.0\n2\n"
