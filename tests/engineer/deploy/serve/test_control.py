"""Changing what is served while requests come in: workers, swaps, canaries, shadows, rollbacks."""

import http.client
import json
import os
import re
import shutil
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import httpx
import pytest

from shiplap.core.store import open_store
from shiplap.scoring import load

CLIENT = httpx.Client(limits=httpx.Limits(max_keepalive_connections=0))  # each request meets a worker anew
ROW = {"age": 41, "plan": "basic", "since": "2013-03-01", "paid": True}


@pytest.fixture(scope="module")
def ships(make, tmp_path_factory):
    """Three versions of one model, and another model."""
    folder = tmp_path_factory.mktemp("versions")
    first = make(folder / "first.ship")
    second = make(folder / "second.ship", shift=2.5)
    third = make(folder / "third.ship", shift=2.0)
    return first, second, third, make(folder / "delay.ship", name="delay", task="regression")


def version(path: Path) -> str:
    return load(path).ship.id[:12]


def admin(run, path: str, body: object = None, method: str = "POST") -> dict:
    answer = CLIENT.request(method, run.addresses.admin + path, json=body if body is not None else {})
    assert answer.status_code == 200, answer.text
    return answer.json()


def who(run, headers: dict[str, str] | None = None) -> str:
    answer = CLIENT.post(f"{run.url}/predict/churn", json=ROW, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["ship"][:12]


class Load:
    """Clients that ask without pause, on connections they keep, and count what came back."""

    def __init__(self, run, n_clients: int = 4) -> None:
        self.run = run
        self.seen: dict[str, int] = {}
        self.failed: list[object] = []
        self._ended = False
        self._threads = [threading.Thread(target=self._ask) for _ in range(n_clients)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        for thread in self._threads:
            thread.join()

    def _ask(self) -> None:
        client = http.client.HTTPConnection("127.0.0.1", self.run.port, timeout=20)
        body = json.dumps(ROW)
        while not self._ended:
            try:
                client.request("POST", "/predict/churn", body)
                answer = client.getresponse()
                told = answer.read()
                if answer.status == 200:
                    ship = json.loads(told)["ship"][:12]
                    self.seen[ship] = self.seen.get(ship, 0) + 1
                else:
                    self.failed.append((answer.status, told))
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(error)
                client.close()
        client.close()


def test_of_two_versions_the_first_answers_and_both_can_be_asked_for(start, ships):
    first, second, _, delay = ships
    with start(first, second, delay) as run:
        assert {who(run) for _ in range(20)} == {version(first)}
        for path in (first, second):
            answer = CLIENT.post(
                f"{run.url}/v2/models/churn/versions/{version(path)}/infer",
                json={"inputs": [{"name": "age", "shape": [1], "datatype": "FP64", "data": [41]}]},
            )
            assert answer.json()["model_version"] == version(path)
        assert CLIENT.get(f"{run.url}/v2/models/churn").json()["versions"] == [version(first), version(second)]
        unknown = CLIENT.post(f"{run.url}/v1/models/churn/versions/77:predict", json={"instances": [ROW]})
        assert unknown.status_code == 404
        assert version(second) in unknown.json()["expected"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_changed_file_is_swapped_in_without_a_failed_request(start, ships, tmp_path, workers):
    served = tmp_path / "churn.ship"
    shutil.copy(ships[0], served)
    with start(served, workers=workers, admin_port=0) as run, Load(run) as load:
        for turn in range(20):
            fresh = ships[(turn + 1) % 3]
            shutil.copy(fresh, tmp_path / "next")
            (tmp_path / "next").replace(served)
            if turn % 2:
                run.process.send_signal(signal.SIGHUP)
                deadline = time.monotonic() + 20
                while admin(run, "/fleet/churn", method="GET")["stable"] != version(fresh):
                    assert time.monotonic() < deadline
            else:
                assert admin(run, "/v2/repository/models/churn/load") == {}
            assert {who(run) for _ in range(5)} == {version(fresh)}
    assert load.failed == []
    assert set(load.seen) == {version(ship) for ship in ships[:3]}


def test_a_file_that_is_broken_changes_nothing(start, ships, tmp_path):
    served = tmp_path / "churn.ship"
    shutil.copy(ships[0], served)
    with start(served, admin_port=0) as run:
        served.write_bytes(b"no ship")
        answer = CLIENT.post(run.addresses.admin + "/fleet/churn/load")
        assert answer.status_code == 409
        assert "not a ship" in answer.json()["detail"]
        assert who(run) == version(ships[0])
        run.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        assert who(run) == version(ships[0])
        assert "served on as it was" in run.stop()


def test_a_canary_takes_its_share_and_a_sticky_client_stays(start, ships):
    first, second, *_ = ships
    with start(first, second, workers=2, admin_port=0) as run:
        shown = admin(run, "/fleet/churn/canary", {"version": version(second), "percent": 30})
        assert shown["canary"] == {"version": version(second), "percent": 30}
        asked = [who(run) for _ in range(300)]
        assert 50 <= asked.count(version(second)) <= 130
        for client in ("ann", "bob", "eve"):
            assert len({who(run, {"Shiplap-Sticky": client}) for _ in range(10)}) == 1
        clients = [who(run, {"Shiplap-Sticky": f"client {place}"}) for place in range(200)]
        assert 35 <= clients.count(version(second)) <= 85
        admin(run, "/fleet/churn/canary", {"percent": 0})
        assert {who(run) for _ in range(30)} == {version(first)}


def test_promoted_and_rolled_back_at_once(start, ships):
    first, second, *_ = ships
    with start(first, second, workers=2, admin_port=0) as run, Load(run) as load:
        for _ in range(5):
            assert admin(run, "/fleet/churn/promote", {"version": version(second)})["stable"] == version(second)
            assert {who(run) for _ in range(5)} == {version(second)}
            assert admin(run, "/fleet/churn/rollback")["stable"] == version(first)
            assert {who(run) for _ in range(5)} == {version(first)}
    assert load.failed == []


def test_a_shadow_is_compared_and_written_down(start, make, ships, tmp_path):
    first, second, *_ = ships
    with open_store(tmp_path) as store:
        folder = store.folder
    with start(first, second, admin_port=0, project=str(folder.parent), record=False) as run:
        admin(run, "/fleet/churn/shadow", {"version": version(second)})
        rows = [{**ROW, "age": age} for age in range(40)]
        assert CLIENT.post(f"{run.url}/predict", json=rows).status_code == 200
        assert {who(run) for _ in range(10)} == {version(first)}
        deadline = time.monotonic() + 20
        while (found := admin(run, "/fleet/churn", method="GET")["shadow"])["rows"] < 50:
            assert time.monotonic() < deadline
        assert found["version"] == version(second)
        scorers = load(first), load(second)
        own, other = (scorer.predict_proba([*rows, *[ROW] * 10]) for scorer in scorers)
        assert found["largest_difference"] == pytest.approx(abs(own - other).max(), rel=1e-12)
        assert found["predictions_differ"] > 0
        assert found["predictions_differ"] == (own.argmax(axis=1) != other.argmax(axis=1)).sum()
        assert (found["refused"], found["missed"]) == (0, 0)
        admin(run, "/fleet/churn/shadow", {"version": ""})
        assert run.stop() == ""
    with open_store(tmp_path) as store:
        (ended,) = store.runs(verb="shadow")
        assert ended.parameters == {"model": "churn", "stable": version(first), "shadow": version(second)}
        assert {point.name: point.value for point in store.points(ended)}["rows"] == 50


def test_a_name_in_the_store_is_followed(start, ships, tmp_path):
    first, second, *_ = ships
    with open_store(tmp_path) as store:
        store.name("churn@production", store.put_file(first))
        with start("churn@production", workers=2, project=str(store.folder.parent)) as run, Load(run) as load:
            assert who(run) == version(first)
            store.name("churn@production", store.put_file(second))
            deadline = time.monotonic() + 20
            while who(run) != version(second):
                assert time.monotonic() < deadline
            assert {who(run) for _ in range(10)} == {version(second)}
        assert load.failed == []


def test_ships_of_the_repository_are_loaded_by_name_and_nothing_else(start, ships, tmp_path):
    folder = tmp_path / "ships"
    folder.mkdir()
    shutil.copy(ships[3], folder / "delay.ship")
    shutil.copy(ships[1], tmp_path / "secret.ship")
    with start(ships[0], workers=2, admin_port=0, repository=str(folder)) as run:
        index = admin(run, "/v2/repository/index")
        assert {(each["name"], each["state"]) for each in index} == {("churn", "READY"), ("delay", "UNAVAILABLE")}
        admin(run, "/v2/repository/models/delay/load")
        for _ in range(10):
            assert CLIENT.post(f"{run.url}/predict/delay", json=ROW).json()["model"] == "delay"
        admin(run, "/v2/repository/models/delay/unload")
        assert CLIENT.post(f"{run.url}/predict/delay", json=ROW).status_code == 404
        assert CLIENT.post(f"{run.url}/predict", json=ROW).status_code == 200
        for name in ("secret", "../secret", "..%2Fsecret", "%2Fetc%2Fpasswd", ".", "x" * 300):
            answer = CLIENT.post(f"{run.addresses.admin}/v2/repository/models/{name}/load")
            assert answer.status_code == 404, name
        assert run.stop() == ""


def workers_of(run) -> list[str]:
    return Path(f"/proc/{run.process.pid}/task/{run.process.pid}/children").read_text().split()


def replaced(run, pid: str, number: signal.Signals = signal.SIGKILL) -> None:
    """End a worker, and wait until another has taken its place."""
    count = len(workers_of(run))
    os.kill(int(pid), number)
    deadline = time.monotonic() + 20
    while pid in (now := workers_of(run)) or len(now) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_who_replaces_a_worker_needs_no_file(start, ships, tmp_path):
    served = tmp_path / "churn.ship"
    shutil.copy(ships[0], served)
    with start(served, workers=2, admin_port=0) as run:
        for fresh in ships[1:3]:
            shutil.copy(fresh, served)
            admin(run, "/fleet/churn/load")
        served.write_bytes(b"another that is being copied")
        for pid in workers_of(run):
            replaced(run, pid)
        assert {who(run) for _ in range(20)} == {version(ships[2])}
        assert admin(run, "/fleet/churn/rollback")["stable"] == version(ships[1])
        assert {who(run) for _ in range(20)} == {version(ships[1])}
        served.unlink()
        for pid in workers_of(run):
            replaced(run, pid)
        assert {who(run) for _ in range(20)} == {version(ships[1])}
        assert "error" not in run.stop()
        assert run.process.returncode == 0


def test_a_worker_that_dies_is_replaced_and_serves_what_the_others_serve(start, ships, tmp_path):
    served = tmp_path / "churn.ship"
    shutil.copy(ships[0], served)
    with start(served, workers=2, admin_port=0) as run:
        shutil.copy(ships[1], served)
        admin(run, "/fleet/churn/load")
        for _ in range(3):
            children = Path(f"/proc/{run.process.pid}/task/{run.process.pid}/children").read_text().split()
            assert len(children) == 2
            os.kill(int(children[0]), signal.SIGKILL)
            deadline = time.monotonic() + 20
            while True:
                now = Path(f"/proc/{run.process.pid}/task/{run.process.pid}/children").read_text().split()
                if len(now) == 2 and children[0] not in now:
                    break
                assert time.monotonic() < deadline
                time.sleep(0.02)
            assert {who(run) for _ in range(20)} == {version(ships[1])}
        assert admin(run, "/fleet/churn", method="GET")["stable"] == version(ships[1])
        said = run.stop()
        assert len(re.findall(r"was ended by signal 9; another takes its place", said)) == 3


def test_workers_end_with_the_supervisor_and_the_supervisor_with_a_signal(start, ships):
    with start(ships[0], workers=2) as run:
        children = Path(f"/proc/{run.process.pid}/task/{run.process.pid}/children").read_text().split()
        run.process.kill()
        deadline = time.monotonic() + 20
        while any(Path(f"/proc/{child}").exists() for child in children):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    with start(ships[0], workers=2) as run:
        assert who(run) == version(ships[0])
        assert run.stop() == ""
        assert run.process.returncode == 0


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/fleet/nobody/promote", {"version": "x"}, 404, "no model called 'nobody'"),
        ("/fleet/churn/promote", {"version": "x"}, 404, "no version 'x'"),
        ("/fleet/churn/rollback", {}, 409, "no version to return to"),
        ("/fleet/churn/canary", {"version": "x", "percent": 150}, 422, "0 to 100"),
        ("/fleet/churn/canary", {"percent": "many"}, 422, "float"),
        ("/fleet/churn/canary", [], 422, "object"),
        ("/v2/repository/models/churn/load", {"parameters": {"file:1": "x"}}, 422, "all about itself"),
    ],
)
def test_a_change_that_cannot_be_is_refused(start, ships, path, body, status, said):
    with start(ships[0], admin_port=0) as run:
        answer = CLIENT.post(run.addresses.admin + path, json=body)
        assert answer.status_code == status
        assert said in answer.json()["detail"]
        assert CLIENT.get(run.addresses.admin + "/nothing").status_code == 404
        page = CLIENT.post(run.addresses.admin + path, json=body, headers={"Origin": "https://evil.example"})
        assert page.status_code == 403
        assert CLIENT.post(run.url + "/fleet/churn/rollback").status_code == 404
        assert run.stop() == ""


def test_two_who_change_at_once_both_succeed(start, ships):
    with start(*ships[:3], workers=2, admin_port=0) as run:
        versions = [version(ship) for ship in ships[:3]]
        with ThreadPoolExecutor(8) as pool:
            asked = [{"version": versions[turn % 3]} for turn in range(24)]
            done = list(pool.map(lambda body: admin(run, "/fleet/churn/promote", body)["stable"], asked))
        assert done == [body["version"] for body in asked]
        assert len({who(run) for _ in range(10)}) == 1


def test_torchserves_management(start, ships, tmp_path):
    shutil.copy(ships[3], tmp_path / "delay.ship")
    with start(*ships[:2], admin_port=0, grpc_port=0, repository=str(tmp_path)) as run:
        first, second = version(ships[0]), version(ships[1])
        assert admin(run, "/models?url=delay.ship&model_name=late")["status"].startswith('Model "late" Version:')
        names = [model["modelName"] for model in admin(run, "/models", method="GET")["models"]]
        assert names == ["churn", "late"]
        assert CLIENT.post(f"{run.url}/v1/models/late:predict", json={"instances": [ROW]}).status_code == 200
        with grpc.insecure_channel(run.addresses.grpc) as channel:  # the metadata of a model under another name
            metadata = channel.unary_unary("/inference.GRPCInferenceService/ModelMetadata")
            assert metadata(b"\n\x04late", timeout=20).startswith(b"\n\x04late")
        described = CLIENT.get(run.addresses.admin + "/models/churn/all").json()
        assert [(each["modelVersion"], each["defaultVersion"]) for each in described] == [
            (first, True),
            (second, False),
        ]
        admin(run, f"/models/churn/{second}/set-default", method="PUT")
        assert who(run) == second
        admin(run, f"/models/churn/{first}", method="DELETE")
        assert CLIENT.delete(f"{run.addresses.admin}/models/churn/{second}").status_code == 409
        admin(run, "/models/late", method="DELETE")
        assert CLIENT.post(f"{run.url}/predictions/late", json=ROW).status_code == 404
        assert CLIENT.post(run.addresses.admin + "/models?url=/etc/passwd").status_code == 404
        assert CLIENT.post(run.addresses.admin + "/models").status_code == 400
        assert run.stop() == ""


def test_sagemakers_multi_model_contract(start, ships, tmp_path, monkeypatch):
    for name, ship in (("a1", ships[0]), ("b2", ships[3])):
        (tmp_path / name / "model").mkdir(parents=True)
        shutil.copy(ship, tmp_path / name / "model" / "model.ship")
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("SAGEMAKER_MULTI_MODEL", "true")
    with start(workers=2, repository=str(tmp_path)) as run:
        assert CLIENT.get(f"{run.url}/ping").status_code == 200
        assert CLIENT.get(f"{run.url}/models").json() == {"models": []}
        for name in ("a1", "b2"):
            url = str(tmp_path / name / "model")
            asked = {"model_name": name, "url": url}
            assert CLIENT.post(f"{run.url}/models", json=asked).json()["modelName"] == name
            assert CLIENT.post(f"{run.url}/models", json=asked).status_code == 409
        for _ in range(6):
            assert CLIENT.post(f"{run.url}/models/a1/invoke", json=ROW).json()["predictions"] == ["no"]
            assert CLIENT.get(f"{run.url}/models/b2").json()["modelName"] == "b2"
        assert CLIENT.delete(f"{run.url}/models/a1").status_code == 200
        assert CLIENT.post(f"{run.url}/models/a1/invoke", json=ROW).status_code == 404
        assert CLIENT.get(f"{run.url}/models/a1").status_code == 404
        for url in ("/etc", f"{tmp_path}/../..", str(tmp_path / "empty"), str(tmp_path)):
            assert CLIENT.post(f"{run.url}/models", json={"model_name": "c", "url": url}).status_code == 404, url
        assert run.stop() == ""


def test_while_workers_end_a_new_connection_is_refused_and_waits_for_nobody(start, ships):
    with start(ships[0], workers=2) as run:
        with run.connect() as slow:
            slow.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n{")
            time.sleep(0.3)
            run.process.terminate()
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                try:
                    run.connect().close()
                except ConnectionRefusedError:
                    break
                time.sleep(0.02)
            assert run.process.poll() is None
            with pytest.raises(ConnectionRefusedError):
                run.connect()
        assert run.stop() == ""


def test_a_share_must_be_told_and_words_must_be_known(start, ships):
    with start(*ships[:2], admin_port=0) as run:
        admin(run, "/fleet/churn/canary", {"version": version(ships[1]), "percent": 10})
        for path, body in (("canary", {}), ("canary", {"version": version(ships[1])}), ("shadow", {"vresion": "x"})):
            assert CLIENT.post(f"{run.addresses.admin}/fleet/churn/{path}", json=body).status_code == 422, body
        assert admin(run, "/fleet/churn", method="GET")["canary"]["percent"] == 10
        assert run.stop() == ""
