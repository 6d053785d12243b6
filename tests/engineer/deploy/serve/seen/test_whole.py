"""The whole server, of two workers: what its operator sees."""

import json
import os
import signal
import time
from pathlib import Path

import httpx

ROW = b'{"age": 41, "plan": "basic"}'


def predicted(page: dict[tuple[str, ...], float], name: str = "shiplap_requests_total") -> float:
    return sum(value for key, value in page.items() if key[0] == name and "protocol=predict" in key)


def test_two_workers_are_one_page_and_one_log(start, ship, tmp_path, values):
    log = tmp_path / "access.log"
    with start(ship, workers=2, admin_port=0, access_log=str(log)) as run:

        def page() -> dict[tuple[str, ...], float]:
            return values(httpx.get(f"{run.addresses.admin}/metrics").content)

        for _ in range(60):  # a connection each, so that both workers get some
            assert httpx.post(f"{run.url}/predict", content=ROW).status_code == 200
        before = page()
        assert predicted(before) == 60
        assert before["shiplap_workers",] == 2
        children = Path(f"/proc/{run.process.pid}/task/{run.process.pid}/children").read_text().split()
        os.kill(min(map(int, children)), signal.SIGKILL)  # the first worker: it has the admin listener
        after = eventually(page)
        assert predicted(after) == 60
        assert predicted(after, "shiplap_request_duration_seconds_count") == 60
        for _ in range(20):
            assert httpx.post(f"{run.url}/predict", content=ROW).status_code == 200
        assert predicted(page()) == 80
        accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
        answer = httpx.get(f"{run.addresses.admin}/metrics", headers=accept)
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
        assert answer.text.endswith("# EOF\n")
        log.rename(tmp_path / "access.log.1")
        run.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 20
        while len(workers(log)) < 2:  # until both have begun the file anew
            assert httpx.post(f"{run.url}/predict", content=ROW).status_code == 200
            assert time.monotonic() < deadline
        run.process.send_signal(signal.SIGTERM)
        assert run.process.wait(timeout=30) == 0
    moved = [line for line in lines(tmp_path / "access.log.1") if line["protocol"] == "predict"]
    assert len(moved) >= 80 - 60  # who was killed took its last lines along


def lines(path: Path) -> list[dict]:
    data = path.read_bytes() if path.exists() else b""
    return [json.loads(line) for line in data.rpartition(b"\n")[0].splitlines()]


def workers(log: Path) -> set[str]:
    """Return the first parts of the ids, of which each process has its own."""
    return {line["id"].partition("-")[0] for line in lines(log)}


def eventually(act):
    deadline = time.monotonic() + 20
    while True:
        try:
            return act()
        except (httpx.HTTPError, AssertionError):
            assert time.monotonic() < deadline
            time.sleep(0.1)
