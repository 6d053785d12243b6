from __future__ import annotations

import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest

from shiplap.core.errors import StoreError
from shiplap.core.prediction import Outcome, Prediction, ServedModel, Window
from shiplap.core.store import Store, open_store
from shiplap.core.store.outcomes import Told
from shiplap.core.store.predictions import Predictions

Start = Callable[..., "Popen[str]"]

CHURN = ServedModel(name="churn", ship="ab12", task="binary", classes=("no", "yes"), categories={"plan": ("a", "b")})
NEXT = ServedModel(name="churn", ship="cd34", task="binary", classes=("no", "yes"))
DELAY = ServedModel(name="delay", ship="ef56", task="regression")


def seen(key: str, *, model: ServedModel = CHURN, at: float = 100.0, **fields: object) -> Prediction:
    made = {"share": 0.01, "row": {"age": 41}, "outputs": (0.25, 0.75), "label": "yes", "decision": True, **fields}
    return Prediction(id=key, model=model.name, ship=model.ship, at=at, **made)  # type: ignore[arg-type]


def window(start: float, *, worker: str = "w1", rows: int = 1, seconds: float = 60, traffic: bytes = b"x") -> Window:
    return Window(
        model="churn", ship="ab12", start=start, seconds=seconds, rows=rows, dropped=2, traffic=traffic, worker=worker
    )


@pytest.fixture
def predictions(store: Store) -> Predictions:
    return store.predictions


def read(process: Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_project_that_serves_nothing_has_no_such_file(store: Store) -> None:
    store.put(b"rows")
    assert not (store.folder / "predictions.db").exists()
    store.predictions.write(models=[CHURN])
    assert (store.folder / "predictions.db").exists()


def test_what_was_written_is_read_as_it_was(predictions: Predictions) -> None:
    row = {"age": 41, "name": "Zoë", "at": None, "big": 2**70, "list": [1, [2.5]]}
    samples = [
        seen("a", at=101.5, row=row, left_out=("ssn",)),
        seen("b", at=100.0, model=NEXT, label="no", decision=False),
        seen("c", model=DELAY, outputs=(float("nan"),), label=3.5, decision=4.0),
    ]
    predictions.write(models=[CHURN, NEXT, DELAY, CHURN], predictions=samples)
    assert predictions.models() == [CHURN, NEXT, DELAY]
    assert predictions.rows("churn") == [samples[1], samples[0]]
    assert predictions.rows("delay")[0].outputs == (None,)
    assert predictions.rows("unknown") == []


def test_rows_are_chosen_by_time(predictions: Predictions) -> None:
    predictions.write(models=[CHURN], predictions=[seen(f"r{at}", at=float(at)) for at in range(10)])
    assert [each.id for each in predictions.rows("churn", since=3, until=6)] == ["r3", "r4", "r5"]
    assert [each.id for each in predictions.rows("churn", limit=2)] == ["r8", "r9"]


def test_of_two_records_with_one_id_the_latter_stays_for_each_ship(predictions: Predictions) -> None:
    predictions.write(models=[CHURN, NEXT], predictions=[seen("a"), seen("a", label="no"), seen("a", model=NEXT)])
    assert [(each.ship, each.label) for each in predictions.rows("churn")] == [("ab12", "no"), ("cd34", "yes")]


def test_a_model_that_is_not_known_is_refused_and_nothing_written(predictions: Predictions) -> None:
    with pytest.raises(StoreError, match="NOT NULL"):
        predictions.write(models=[CHURN], predictions=[seen("a"), seen("b", model=DELAY)])
    assert predictions.rows("churn") == []


def test_outcomes_are_joined_before_and_after_the_record_came(predictions: Predictions) -> None:
    assert predictions.tell("churn", [Outcome(id="a", outcome="no", at=50.0)]) == Told(
        new=1, known=0, corrected=0, joined=0
    )
    predictions.write(models=[CHURN], predictions=[seen("a"), seen("b"), seen("c/1")])
    before = time.time()
    told = predictions.tell("churn", [Outcome(id="b/0", outcome="yes"), Outcome(id="c/1", outcome="no")])
    assert told == Told(new=2, known=0, corrected=0, joined=2)
    a, b, c = predictions.rows("churn")
    assert (a.outcome, a.outcome_at, b.outcome, c.outcome) == ("no", 50.0, "yes", "no")
    assert b.told_at is not None
    assert b.outcome_at == b.told_at >= before


def test_telling_again_changes_nothing_and_another_value_is_a_correction(predictions: Predictions) -> None:
    predictions.write(models=[CHURN, DELAY], predictions=[seen("a")])
    tell = predictions.tell
    assert tell("churn", [Outcome(id="a", outcome="no"), Outcome(id="a", outcome="no")]).known == 1
    assert tell("churn", [Outcome(id="a", outcome="no")]) == Told(new=0, known=1, corrected=0, joined=1)
    assert tell("churn", [Outcome(id="a", outcome="yes")]) == Told(new=0, known=0, corrected=1, joined=1)
    assert tell("delay", [Outcome(id="a", outcome=3.0)]) == Told(new=1, known=0, corrected=0, joined=0)
    many = [Outcome(id="a", outcome="no"), Outcome(id="b", outcome=1.5), Outcome(id="a", outcome="yes")]
    assert tell("churn", many) == Told(new=1, known=0, corrected=2, joined=1)
    assert [each.outcome for each in predictions.outcomes("churn", of="a")] == ["no", "yes", "no", "yes"]
    assert [each.outcome for each in predictions.outcomes("churn")] == ["no", "yes", "no", 1.5, "yes"]
    assert predictions.outcomes("churn", since=time.time() + 1) == []
    assert predictions.rows("churn")[0].outcome == "yes"


def test_a_hundred_thousand_outcomes_take_seconds(predictions: Predictions) -> None:
    predictions.write(models=[CHURN], predictions=[seen(str(number)) for number in range(0, 100_000, 100)])
    outcomes = [Outcome(id=str(number), outcome="no") for number in range(100_000)]
    start = time.perf_counter()
    assert predictions.tell("churn", outcomes) == Told(new=100_000, known=0, corrected=0, joined=1_000)
    assert predictions.tell("churn", outcomes).known == 100_000
    assert time.perf_counter() - start < 20


def test_what_is_forgotten_is_gone_from_the_disk_and_does_not_come_back(predictions: Predictions, store: Store) -> None:
    secret = {"name": "Persephone Quillfeather"}
    samples = [seen("a", row=secret), seen("a/1", row=secret), seen("ab"), seen("a0")]
    predictions.write(models=[CHURN], predictions=samples)
    predictions.tell("churn", [Outcome(id="a/1", outcome="yes"), Outcome(id="ab", outcome="yes")])
    files = [path for path in store.folder.glob("predictions*") if path.is_file()]
    assert any(b"Quillfeather" in path.read_bytes() for path in files)
    assert predictions.forget(["a"]) == 3
    assert not any(b"Quillfeather" in path.read_bytes() for path in files)
    predictions.write(predictions=[seen("a"), seen("a/7")])
    assert predictions.tell("churn", [Outcome(id="a/1", outcome="no"), Outcome(id="a", outcome="no")]).new == 0
    assert [each.id for each in predictions.rows("churn")] == ["ab", "a0"]
    assert [each.id for each in predictions.outcomes("churn")] == ["ab"]
    assert predictions.forget(["a", "never"]) == 0


def test_one_row_of_a_request_may_be_forgotten(predictions: Predictions) -> None:
    predictions.write(models=[CHURN], predictions=[seen("a/1"), seen("a/10"), seen("a")])
    assert predictions.forget(["a/1"]) == 1
    predictions.write(predictions=[seen("a/1"), seen("a/2")])
    assert [each.id for each in predictions.rows("churn")] == ["a/10", "a", "a/2"]


def test_what_is_old_or_too_much_is_pruned(predictions: Predictions) -> None:
    samples = [seen(f"r{at}", at=float(at)) for at in range(20)]
    predictions.write(models=[CHURN], predictions=samples, windows=[window(at) for at in range(0, 600, 60)])
    predictions.tell("churn", [Outcome(id="r3", outcome="no")])
    predictions.prune(most=5, since=17.0, windows_since=480)
    assert [each.id for each in predictions.rows("churn")] == ["r17", "r18", "r19"]
    predictions.prune(most=2, since=0, windows_since=0)
    assert [each.id for each in predictions.rows("churn")] == ["r18", "r19"]
    assert [each.start for each in predictions.windows("churn")] == [480, 540]
    assert len(predictions.outcomes("churn")) == 1
    predictions.prune(most=2, since=time.time() + 1, windows_since=0)
    assert predictions.outcomes("churn") == []


def test_a_window_is_written_over_by_the_same_worker_alone(predictions: Predictions) -> None:
    predictions.write(models=[CHURN], windows=[window(0), window(0, worker="w2"), window(60)])
    predictions.write(windows=[window(0, rows=9)])
    found = [(each.start, each.worker, each.rows) for each in predictions.windows("churn")]
    assert found == [(0, "w1", 9), (0, "w2", 1), (60, "w1", 1)]
    assert [each.start for each in predictions.windows("churn", since=1, until=61)] == [60]
    assert predictions.windows("churn")[0] == window(0, rows=9)


def test_windows_are_put_together_over_workers_and_nothing_is_lost(predictions: Predictions) -> None:
    def merge(parts: object) -> bytes:
        return b"".join(sorted(parts))  # type: ignore[call-overload]

    short = [
        window(start, worker=worker, traffic=f"[{start} {worker}]".encode())
        for start in (0, 60, 3_540, 3_600, 7_200)
        for worker in ("w1", "w2")
    ]
    predictions.write(models=[CHURN], windows=short)
    assert predictions.roll_up(seconds=3_600, before=7_300, merge=merge) == 2
    first, second, *rest = predictions.windows("churn")
    assert (first.start, first.seconds, first.worker, first.rows, first.dropped) == (0, 3_600, "", 6, 12)
    assert first.traffic == b"[0 w1][0 w2][3540 w1][3540 w2][60 w1][60 w2]"
    assert (second.start, second.rows, second.traffic) == (3_600, 2, b"[3600 w1][3600 w2]")
    assert rest == short[-2:]
    predictions.write(windows=[window(120, traffic=b"late")])
    assert predictions.roll_up(seconds=3_600, before=7_300, merge=merge) == 1
    assert predictions.windows("churn")[0].traffic == first.traffic + b"late"
    assert predictions.windows("churn")[0].rows == 7


def test_a_merge_that_fails_leaves_the_windows_as_they_are(predictions: Predictions) -> None:
    def fail(parts: object) -> bytes:
        raise StoreError("these are no sketches")

    predictions.write(models=[CHURN], windows=[window(0), window(60)])
    with pytest.raises(StoreError, match="no sketches"):
        predictions.roll_up(seconds=3_600, before=7_200, merge=fail)
    assert [each.start for each in predictions.windows("churn")] == [0, 60]


WRITE = """
from shiplap.core.prediction import Prediction, ServedModel, Window
model = ServedModel(name="churn", ship="ab12", task="binary", classes=("no", "yes"))
name = sys.argv[2]
for number in range(int(sys.argv[3])):
    sample = Prediction(id=f"{name}-{number}", model="churn", ship="ab12", at=float(number), share=1, row={"n": number})
    window = Window(
        model="churn", ship="ab12", start=0, seconds=60, rows=number + 1, dropped=0, traffic=b"x" * 20_000, worker=name
    )
    store.predictions.write(models=[model], windows=[window], predictions=[sample])
    say(number)
"""


def test_several_processes_write_while_another_reads(start: Start, tmp_path: Path) -> None:
    processes = [start(WRITE, f"w{number}", "40") for number in range(4)]
    with open_store(tmp_path) as store:
        counts = []
        while any(process.poll() is None for process in processes):
            counts.append(len(store.predictions.rows("churn")))
        for process in processes:
            assert process.wait() == 0, process.communicate()[1]
        assert counts == sorted(counts)
        assert len(store.predictions.rows("churn")) == 160
        assert [each.rows for each in store.predictions.windows("churn")] == [40] * 4


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("seed", range(3))
def test_kill_9_leaves_the_file_whole_with_all_that_was_acknowledged(start: Start, tmp_path: Path, seed: int) -> None:
    process = start(WRITE, "w", "100000")
    assert read(process) == "0"
    time.sleep(random.Random(seed).uniform(0.05, 0.5))
    process.send_signal(signal.SIGKILL)
    said = [0, *(int(line) for line in process.communicate()[0].splitlines() if line.isdecimal())]
    with open_store(tmp_path) as store:
        found = [each.row["n"] for each in store.predictions.rows("churn")]
        assert found == list(range(len(found)))
        assert len(found) >= said[-1] + 1
        assert [each.rows for each in store.predictions.windows("churn")] == [len(found)]
        store.predictions.write(predictions=[seen("later")])
    db = sqlite3.connect(tmp_path / ".shiplap" / "predictions.db")
    assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    db.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_forked_child_opens_the_file_anew(predictions: Predictions) -> None:
    predictions.write(models=[CHURN], predictions=[seen("parent")])
    child = os.fork()
    if not child:
        predictions.write(predictions=[seen("child")])
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert {each.id for each in predictions.rows("churn")} == {"parent", "child"}
