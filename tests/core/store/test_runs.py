from __future__ import annotations

import math
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiplap.core.errors import StoreError
from shiplap.core.run import Run
from shiplap.core.store import Store, open_store


def test_a_run_is_written_down_whole(store: Store) -> None:
    run = store.begin("train", inputs={"table": "ab"}, parameters={"trees": 200, "rate": 0.1, "fold": (1, 2)}, seed=7)
    assert store.runs() == [run]
    assert run.outcome == "running"
    assert "python" in run.environment
    ended = store.finish(run, outputs={"model": "cd"})
    assert store.run(run.id) == ended
    assert ended.outcome == "done"
    assert 0 <= ended.seconds < 60
    assert (ended.inputs, ended.parameters, ended.seed, ended.outputs) == (
        {"table": "ab"},
        {"trees": 200, "rate": 0.1, "fold": [1, 2]},
        7,
        {"model": "cd"},
    )


def test_what_the_caller_knows_is_taken_from_him(store: Store) -> None:
    run = store.begin("train", environment={"python": "4"}, commit="ab+")
    assert (run.environment, run.commit) == ({"python": "4"}, "ab+")
    store.finish(run, metrics={"auc": 0.7, "rows": 3, "unit": "$", "gain": None})
    assert {point.name: point.value for point in store.points(run)} == {"auc": 0.7, "rows": 3.0}
    assert store.run(run.id).commit == "ab+"


def test_the_latest_run_comes_first(store: Store) -> None:
    runs = [store.finish(store.begin(verb)) for verb in ("explore", "train", "explore")]
    assert store.runs() == runs[::-1]
    assert store.runs(verb="explore", limit=1) == [runs[2]]


def test_a_run_ends_once(store: Store) -> None:
    run = store.begin("train")
    store.finish(run, outcome="failed")
    with pytest.raises(StoreError, match="not under way"):
        store.finish(run)
    assert store.run(run.id).outcome == "failed"


@pytest.mark.parametrize("ask", [lambda s: s.run("x"), lambda s: s.metric("x", "loss", 1.0), lambda s: s.points("x")])
def test_an_unknown_run_is_named(store: Store, ask) -> None:
    with pytest.raises(StoreError, match="no run 'x'"):
        ask(store)
    with pytest.raises(StoreError, match="no run 'x'"):
        store.finish(Run(id="x", verb="train", started="2026-01-01T00:00:00+00:00"))


def test_runs_of_a_store_that_was_closed_are_shown_as_killed(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    run = store.begin("train")
    with open_store(tmp_path) as other:
        assert other.run(run.id).outcome == "running"
        store.close()
        assert other.run(run.id).outcome == "killed"
        assert other.runs()[0].outcome == "killed"


def test_a_run_of_another_machine_lives_by_its_heartbeat(store: Store) -> None:
    run = store.begin("train")
    with store._ledger.writing() as db:
        db.execute("UPDATE runs SET host = 'elsewhere', owner = 'unseen'")
    assert store.run(run.id).outcome == "running"
    with store._ledger.writing() as db:
        db.execute("UPDATE runs SET heartbeat = heartbeat - 100")
    assert store.run(run.id).outcome == "killed"
    store.heartbeat(run)
    assert store.run(run.id).outcome == "running"


def test_open_runs_beat_by_themselves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shiplap.core.store.runs._BEAT_SECONDS", 0.02)
    with open_store(tmp_path) as store:
        store.begin("train")
        beats = set()
        until = time.monotonic() + 5
        while len(beats) < 3 and time.monotonic() < until:
            beats.update(store._ledger.read("SELECT heartbeat FROM runs"))
            time.sleep(0.01)
    assert len(beats) >= 3


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["loss", "auc", "größe"]),
            st.floats().map(lambda value: value + 0.0),
            st.integers(-(2**63), 2**63 - 1),
        ),
        max_size=30,
    )
)
def test_points_come_back_as_they_were_given(shared: Store, points: list[tuple[str, float, int]]) -> None:
    run = shared.begin("train")
    shared.metrics(run, points)
    back = [(point.name, point.step, repr(point.value)) for point in shared.points(run)]
    assert sorted(back) == sorted((name, step, repr(value)) for name, value, step in points)
    assert back == sorted(back, key=lambda point: point[:2])
    assert len(shared.points(run, "auc")) == sum(name == "auc" for name, _, _ in points)
    shared.finish(run)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory):
    with open_store(tmp_path_factory.mktemp("project")) as store:
        yield store


def test_a_bad_point_keeps_out_its_batch_alone(store: Store) -> None:
    run = store.begin("train")
    with pytest.raises(ValueError, match="could not convert"):
        store.metrics(run, [("loss", 1.0, 1), ("loss", "high", 2)])  # type: ignore[list-item]
    store.metric(run, "loss", math.inf)
    assert [point.value for point in store.points(run)] == [math.inf]


def test_threads_share_a_store(store: Store) -> None:
    run = store.begin("train")

    def report(thread: int) -> None:
        for step in range(25):
            store.metric(run, f"loss-{thread}", step / 2, step)

    threads = [threading.Thread(target=report, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(8):
        assert [point.value for point in store.points(run, f"loss-{number}")] == [step / 2 for step in range(25)]
