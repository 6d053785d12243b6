"""The record in one process: what is counted and kept of rows that pass by, and what happens when the store fails."""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from shiplap.core.encoding import Boolean, Category, Date, Encoding, Number, Tensor
from shiplap.core.errors import InputError, StoreError
from shiplap.core.policy import Policy
from shiplap.core.prediction import Prediction, Window
from shiplap.core.signature import Field, Signature
from shiplap.core.store.predictions import Predictions
from shiplap.engineer.deploy.serve import Limits
from shiplap.engineer.deploy.serve.models.hosted import Hosted
from shiplap.engineer.deploy.serve.models.jobs import Jobs
from shiplap.engineer.deploy.serve.records import Recorder, Records, private_columns, store_of
from shiplap.engineer.deploy.serve.records import recorder as recorder_module
from shiplap.engineer.deploy.serve.records import writer as writer_module
from shiplap.engineer.deploy.serve.records.features import Categories, features_of
from shiplap.methods.sketches import MISSING, UNSEEN, sketch_numbers
from shiplap.methods.traffic import Traffic, pack, unpack
from shiplap.scoring import Encoder, load, write_ship

Make = Callable[..., Path]
ROW = {"age": 41, "plan": "basic", "since": "2013-03-01", "paid": True}


@dataclass
class Asked:
    """Who asked, as a request does it."""

    number: int
    rows: int = 1
    first: int = 0

    @property
    def id(self) -> str:
        return f"q{self.number}"

    @property
    def gone(self) -> bool:
        return False


@pytest.fixture
def hosted(ship: Path) -> Iterator[Hosted]:
    jobs = Jobs(most=4)
    made = Hosted(load(ship), Limits(), jobs)
    yield made
    made.turn.close()
    jobs.close()


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Callable[..., Recorder]]:
    made: list[Recorder] = []

    def begin(**options: Any) -> Recorder:
        recorder = Recorder(tmp_path / ".shiplap", Records(**{"every_s": 0.05, **options}))
        made.append(recorder)
        return recorder

    yield begin
    for recorder in made:
        recorder.close()


def show(recorder: Recorder, hosted: Hosted, rows: Sequence[dict[str, Any]], askers: Sequence[Asked]) -> None:
    encoded = hosted.scorer.encoder.matrix(rows)
    given = encoded.copy()
    recorder.tap(hosted).take(askers, rows, given, hosted.scorer.runtime.run(encoded))
    given[:] = -1.0  # as the loop does it


def found(folder: Path) -> Predictions:
    return Predictions(folder / ".shiplap")


def total(predictions: Predictions, model: str = "churn") -> Traffic:
    windows = predictions.windows(model)
    whole = unpack(windows[0].traffic)
    for window in windows[1:]:
        whole = whole + unpack(window.traffic)
    return whole


def until(holds: Callable[[], object], seconds: float = 15.0) -> None:
    def held() -> object:
        try:
            return holds()
        except StoreError:  # there is no store yet
            return False

    deadline = time.monotonic() + seconds
    while not held():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.02)


def test_every_column_and_answer_is_counted_exactly(
    tmp_path: Path, hosted: Hosted, record: Callable[..., Recorder]
) -> None:
    plans = ["basic", "plus", None, "gold", 3, ""]
    rows = [
        {
            "age": float(number % 90) if number % 7 else None,
            "plan": plans[number % 6],
            "since": f"201{number % 3}-03-01",
            "paid": bool(number % 2),
        }
        for number in range(1_200)
    ]
    recorder = record()
    for start in range(0, 600, 3):
        show(recorder, hosted, rows[start : start + 3], [Asked(start + place) for place in range(3)])
    show(recorder, hosted, rows[600:1_100], [Asked(9_000, 600)] * 500)
    show(recorder, hosted, rows[1_100:], [Asked(9_000, 600, first=500)] * 100)
    recorder.close()
    whole = total(found(tmp_path))
    ages = [row["age"] for row in rows if row["age"] is not None]
    age, plan = whole.inputs["age"], whole.inputs["plan"]
    assert (age.rows, age.missing, age.finite) == (1_200, 1_200 - len(ages), len(ages))
    assert dict(zip(age.edges()[0].tolist(), age.counts.tolist(), strict=True)) == Counter(ages)
    assert age.mean == pytest.approx(np.mean(ages))
    assert (plan.missing, plan.unseen, plan.keys.tolist(), plan.counts.tolist()) == (400, 200, [0, 1, 2], [200] * 3)
    assert whole.inputs["since:month"].counts.tolist() == [1_200]
    assert whole.inputs["paid"].counts.tolist() == [600, 600]
    outputs = hosted.scorer.outputs(rows)
    assert whole.outputs["yes"].rows == 1_200
    assert whole.outputs["yes"].mean == pytest.approx(outputs[:, 1].mean())
    codes = {"label": outputs.argmax(axis=1), "decision": (outputs[:, 1] >= 0.3).astype(int)}
    for name, expected in codes.items():
        assert dict(zip(whole.answers[name].keys.tolist(), whole.answers[name].counts.tolist(), strict=True)) == (
            Counter(expected.tolist())
        )
    (window,) = [found(tmp_path).windows("churn")[0]]
    assert window.ship == hosted.scorer.ship.id
    assert sum(each.rows for each in found(tmp_path).windows("churn")) == 1_200
    (model,) = found(tmp_path).models()
    assert model.categories["plan"] == ("basic", "plus", "3")
    assert (model.categories["label"], model.categories["decision"]) == (("no", "yes"), (False, True))


def test_samples_hold_what_came_and_what_was_answered(
    tmp_path: Path, hosted: Hosted, record: Callable[..., Recorder]
) -> None:
    recorder = record(share=1.0)
    rows = [ROW, {"age": "41", "note": "not for the model"}, {"plan": "x" * 5_000, "paid": None}]
    before = time.time()
    show(recorder, hosted, rows[:1], [Asked(1)])
    show(recorder, hosted, rows[:2], [Asked(2, 3)] * 2)
    show(recorder, hosted, rows[2:], [Asked(2, 3, first=2)])
    recorder.close()
    samples = {each.id: each for each in found(tmp_path).rows("churn")}
    assert set(samples) == {"q1", "q2", "q2/1", "q2/2"}
    assert samples["q1"].row == samples["q2"].row == ROW
    assert samples["q2/1"].row == {"age": "41"}
    assert (samples["q2/2"].row, samples["q2/2"].left_out) == ({"paid": None}, ("plan",))
    for key, row in zip(("q2", "q2/1", "q2/2"), rows, strict=True):
        answer = hosted.scorer.predict_row(row)
        sample = samples[key]
        assert (sample.label, sample.decision) == (answer.prediction, answer.decision)
        assert sample.outputs == pytest.approx(answer.probabilities)
        assert sample.ship == hosted.scorer.ship.id
        assert before <= sample.at <= time.time()


def test_private_columns_leave_no_value(tmp_path: Path, hosted: Hosted, record: Callable[..., Recorder]) -> None:
    recorder = record(share=1.0, private=("age", "plan", "since"))
    show(recorder, hosted, [{**ROW, "age": 41.0625}, {**ROW, "age": None}], [Asked(1, 2)] * 2)
    recorder.close()
    predictions = found(tmp_path)
    assert [(each.row, each.left_out) for each in predictions.rows("churn")] == (
        [({"paid": True}, ("age", "plan", "since"))] * 2
    )
    whole = total(predictions)
    age = whole.inputs["age"]
    assert (age.rows, age.missing, len(age.keys), age.mean, age.low) == (2, 1, 0, 0.0, math.inf)
    assert len(whole.inputs["plan"].keys) == len(whole.inputs["since:month"].keys) == 0
    (model,) = predictions.models()
    assert model.private == ("age", "plan", "since")
    assert "plan" not in model.categories


@pytest.mark.parametrize(("share", "batch"), [(0.1, 1), (0.1, 7), (0.1, 512), (0.5, 1), (0.0, 512)])
def test_the_share_that_is_kept_is_kept_whatever_the_pattern(
    tmp_path: Path, hosted: Hosted, record: Callable[..., Recorder], share: float, batch: int
) -> None:
    recorder = record(share=share)
    n_rows = 7_000
    for number in range(n_rows // batch):  # every fourth request alone, as when health checks stand between
        show(recorder, hosted, [ROW] * batch, [Asked(4 * number, batch)] * batch)
    recorder.close()
    kept = len(found(tmp_path).rows("churn"))
    seen = n_rows // batch * batch
    assert abs(kept - share * seen) <= 0.15 * share * seen
    assert len({each.id for each in found(tmp_path).rows("churn")}) == kept


def test_a_window_is_closed_by_time(tmp_path: Path, hosted: Hosted, record: Callable[..., Recorder]) -> None:
    recorder = record(window_s=1.0)
    began = time.monotonic()
    count = 0
    while time.monotonic() - began < 2.5:
        show(recorder, hosted, [ROW], [Asked(count)])
        count += 1
        time.sleep(0.05)
    recorder.close()
    windows = found(tmp_path).windows("churn")
    assert len(windows) >= 3
    assert [each.start % 1 for each in windows] == [0.0] * len(windows)
    assert sum(each.rows for each in windows) == count
    assert total(found(tmp_path)).inputs["age"].rows == count


def test_what_passed_is_on_the_disk_a_second_later(
    tmp_path: Path, hosted: Hosted, record: Callable[..., Recorder]
) -> None:
    recorder = record(share=1.0, every_s=1.0)
    for number in range(3):
        show(recorder, hosted, [ROW], [Asked(number)])
        until(lambda number=number: len(found(tmp_path).rows("churn")) == number + 1, 2.5)
        assert total(found(tmp_path)).inputs["age"].rows == number + 1


def test_a_ship_that_is_swapped_in_again_goes_on(
    tmp_path: Path, ship: Path, hosted: Hosted, record: Callable[..., Recorder]
) -> None:
    recorder = record()
    show(recorder, hosted, [ROW], [Asked(1)])
    until(lambda: found(tmp_path).windows("churn"))
    again = Hosted(load(ship), Limits(), hosted.jobs)
    assert recorder.tap(again) is recorder.tap(hosted)
    show(recorder, again, [ROW], [Asked(2)])
    recorder.close()
    assert sum(each.rows for each in found(tmp_path).windows("churn")) == 2


def test_what_cannot_be_counted_in_time_is_dropped_and_said(
    tmp_path: Path, hosted: Hosted, record: Callable[..., Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "_GATHER_S", 1.5)
    recorder = record()
    tap = recorder.tap(hosted)
    encoded = hosted.scorer.encoder.matrix([ROW] * 512)
    outputs = hosted.scorer.runtime.run(encoded)
    for number in range(200):
        tap.take([Asked(number, 512)] * 512, [ROW] * 512, encoded, outputs)
    recorder.close()
    (window,) = found(tmp_path).windows("churn")
    assert window.rows + window.dropped == 200 * 512
    assert window.dropped == recorder.dropped
    assert 0 < window.rows <= 65_536


def test_a_store_that_cannot_be_made_is_said_once_and_serving_goes_on(
    tmp_path: Path, hosted: Hosted, record: Callable[..., Recorder], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".shiplap").write_text("a file where a folder should be")
    recorder = record()
    for number in range(5):
        show(recorder, hosted, [ROW], [Asked(number)])
        time.sleep(0.3)
    said = capsys.readouterr().err
    assert said.count("predictions are not recorded for now, and serving goes on") == 1
    (tmp_path / ".shiplap").unlink()  # and when it can be made, nothing of what was counted is missing
    until((tmp_path / ".shiplap" / "predictions.db").exists)
    recorder.close()
    assert sum(each.rows for each in found(tmp_path).windows("churn")) == 5


def test_a_store_that_is_locked_holds_up_nobody_and_loses_nothing(
    tmp_path: Path, hosted: Hosted, record: Callable[..., Recorder]
) -> None:
    recorder = record(share=1.0, window_s=1.0)
    show(recorder, hosted, [ROW], [Asked(0)])
    until(lambda: found(tmp_path).rows("churn"))
    other = sqlite3.connect(tmp_path / ".shiplap" / "predictions.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    slowest = 0.0
    for number in range(1, 120):
        start = time.perf_counter()
        show(recorder, hosted, [ROW], [Asked(number)])
        slowest = max(slowest, time.perf_counter() - start)
        time.sleep(0.02)
    other.execute("ROLLBACK")
    other.close()
    until(lambda: len(found(tmp_path).rows("churn")) == 120)
    recorder.close()
    assert slowest < 0.5
    assert sum(each.rows for each in found(tmp_path).windows("churn")) == 120


def test_what_waits_for_a_store_is_bounded(
    tmp_path: Path, hosted: Hosted, record: Callable[..., Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "_MOST_SAMPLES", 30)
    monkeypatch.setattr(recorder_module, "_MOST_WINDOWS", 2)
    (tmp_path / ".shiplap").write_text("a file where a folder should be")
    recorder = record(share=1.0, window_s=0.25)
    for number in range(30):
        show(recorder, hosted, [ROW] * 5, [Asked(number, 5)] * 5)
        time.sleep(0.1)
    (tmp_path / ".shiplap").unlink()
    recorder.close()
    windows = found(tmp_path).windows("churn")
    assert len(found(tmp_path).rows("churn")) == 30
    assert len(windows) <= 3
    assert recorder.dropped == 150 - sum(each.rows for each in windows) + 150 - 30


def test_taps_are_safe_among_threads(tmp_path: Path, hosted: Hosted, record: Callable[..., Recorder]) -> None:
    recorder = record()

    def work(first: int) -> None:
        for number in range(first, first + 200):
            show(recorder, hosted, [ROW] * 3, [Asked(number, 3)] * 3)

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 1_000, 2_000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.close()
    assert sum(each.rows for each in found(tmp_path).windows("churn")) == 1_800


def test_what_is_old_is_put_together_and_pruned(
    tmp_path: Path, hosted: Hosted, record: Callable[..., Recorder], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "_PRUNE_S", 0.0)
    monkeypatch.setattr(writer_module, "_ROLL_UP_S", 0.0)
    recorder = record(share=1.0, keep_days=1.0)
    store = recorder.predictions()
    hour = time.time() // 3_600 * 3_600 - 50 * 3_600
    traffic = pack(Traffic(inputs={"age": sketch_numbers(np.array([1.0, 2.0]))}))
    known = {"model": "churn", "ship": hosted.scorer.ship.id, "seconds": 60.0, "dropped": 0}
    windows = [
        Window(start=hour + 60 * minute, worker=worker, rows=2, traffic=traffic, **known)
        for minute in range(60)
        for worker in ("a", "b")
    ]
    old = Prediction(id="old", at=hour, share=1.0, row={}, model="churn", ship=hosted.scorer.ship.id)
    store.write(models=[recorder.tap(hosted).counting.model], windows=windows, predictions=[old])
    show(recorder, hosted, [ROW], [Asked(1)])
    until(lambda: len(found(tmp_path).windows("churn")) == 2)
    recorder.close()
    first, last = found(tmp_path).windows("churn")
    assert (first.start, first.seconds, first.worker, first.rows) == (hour, 3_600.0, "", 240)
    assert unpack(first.traffic).inputs["age"].counts.tolist() == [120, 120]
    assert (last.seconds, last.rows) == (60.0, 1)
    assert [each.id for each in found(tmp_path).rows("churn")] == ["q1"]


def test_numbers_of_a_regression(
    tmp_path: Path, regression_ship: Path, hosted: Hosted, record: Callable[..., Recorder]
) -> None:
    delay = Hosted(load(regression_ship), Limits(), hosted.jobs)
    recorder = record(share=1.0)
    rows = [{**ROW, "age": age} for age in (1, 2, 3)]
    show(recorder, delay, rows, [Asked(5, 3)] * 3)
    recorder.close()
    whole = total(found(tmp_path), "delay")
    outputs = delay.scorer.outputs(rows)[:, 0]
    assert (list(whole.outputs), whole.answers) == (["prediction"], {})
    assert whole.outputs["prediction"].mean == pytest.approx(outputs.mean())
    assert [each.label for each in found(tmp_path).rows("delay")] == outputs.tolist()


def tensor_ship(path: Path, n_outputs: int) -> Path:
    weights = np.arange(float(n_outputs)).reshape(1, n_outputs)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["X", "w"], ["Y"])],
        "spread",
        [helper.make_tensor_value_info("X", TensorProto.DOUBLE, ["n", 1])],
        [helper.make_tensor_value_info("Y", TensorProto.DOUBLE, ["n", n_outputs])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return write_ship(
        path,
        name="spread",
        signature=Signature(inputs=(Field(name="x", kind="number"),), task="tensor", shape=(n_outputs,)),
        encoding=Encoding(operations=(Number(column="x"),)),
        graph=model.SerializeToString(),
        policy=Policy(task="tensor"),
    ).path


@pytest.mark.parametrize(("n_outputs", "counted", "kept"), [(3, 3, 3), (40, 32, 40), (2_000, 32, 0)])
def test_of_a_large_tensor_the_first_numbers_are_counted(
    tmp_path: Path, hosted: Hosted, record: Callable[..., Recorder], n_outputs: int, counted: int, kept: int
) -> None:
    spread = Hosted(load(tensor_ship(tmp_path / "spread.ship", n_outputs)), Limits(), hosted.jobs)
    recorder = record(share=1.0)
    show(recorder, spread, [{"x": 1.0}, {"x": 2.0}], [Asked(1, 2)] * 2)
    recorder.close()
    whole = total(found(tmp_path), "spread")
    assert list(whole.outputs) == [f"y{place}" for place in range(counted)]
    assert [whole.outputs[f"y{place}"].mean for place in range(3)] == [0.0, 1.5, 3.0]
    assert whole.answers == {}
    first = found(tmp_path).rows("spread")[0]
    assert (first.label, first.decision, len(first.outputs)) == (None, None, kept)


vocabularies = st.lists(st.sampled_from(["a", "b", "c", "d", "3"]), min_size=1, max_size=5, unique=True).map(tuple)
widths = st.integers(1, 3)


@st.composite
def categories(draw: st.DrawFn) -> Category:
    known, width = draw(vocabularies), draw(widths)
    row = st.tuples(*[st.sampled_from([None, 0.0, -0.0, 1.0, 2.5])] * width)
    values = draw(st.just(()) if width == 1 else st.nothing()) if width == 1 and draw(st.booleans()) else ()
    if width > 1 or draw(st.booleans()):
        values = tuple(draw(row) for _ in known)
    return Category(column="c", categories=known, values=values, if_missing=draw(row), if_unseen=draw(row))


@given(categories(), st.lists(st.sampled_from(["a", "b", "c", "d", "3", 3, 3.0, "zz", None, "", True]), max_size=30))
def test_categories_are_told_apart_whatever_they_become(operation: Category, values: list[Any]) -> None:
    rows = [{"c": value} for value in values]
    encoded = Encoder(Encoding(operations=(operation,))).matrix(rows).reshape(len(rows), operation.width)
    told = Categories(operation)
    expected = []
    for value in values:
        text = "3" if value == 3 and not isinstance(value, bool) else value
        if text in ("", None):
            expected.append(MISSING)
        elif isinstance(text, str) and text in operation.categories:
            expected.append(operation.categories.index(text))
        else:
            expected.append(UNSEEN)
    assert told.codes(encoded, rows).tolist() == expected
    if not told.needs_rows:
        assert told.codes(encoded, None).tolist() == expected


def test_many_rows_that_are_not_clear_are_told_from_some_of_them() -> None:
    told = Categories(Category(column="c", categories=("a", "b")))
    rows = [{"c": "zz" if place % 4 else None} for place in range(20_000)]
    codes = told.codes(np.array([[math.nan]] * 20_000), rows).tolist()
    assert abs(codes.count(UNSEEN) - 15_000) < 3_000
    assert codes.count(UNSEEN) + codes.count(MISSING) == 20_000


def test_what_is_wide_is_not_counted_and_the_rest_is(tmp_path: Path) -> None:
    many = tuple(f"c{index}" for index in range(200))
    hot = tuple(tuple(float(row == place) for place in range(200)) for row in range(200))
    operations = (
        Number(column="age"),
        Tensor(column="pixels", shape=(3, 4)),
        Category(column="place", categories=many, values=hot, if_missing=(0.0,) * 200, if_unseen=(0.0,) * 200),
        Date(column="at", parts=("month", "hour")),
        Number(column="age"),
        Boolean(column="paid"),
    )

    class Held:
        encoder = Encoder(Encoding(operations=operations))

    features = features_of(Held())  # type: ignore[arg-type]
    assert [each.name for each in features.counted] == ["age", "place", "at:month", "at:hour", "paid"]
    assert features.columns == (0, 213, 214, 216)
    assert (features.whole, features.needs_rows) == (False, True)
    row = {"age": 41, "pixels": [[0] * 4] * 3, "place": "c7", "at": "2013-03-01T07:00", "paid": True}
    encoded = Held.encoder.matrix([row, {**row, "place": None}, {**row, "place": "zz"}])
    place = features.counted[1]
    assert place.categories is not None
    seen = encoded[:, list(features.columns)]
    rows = [row, {**row, "place": None}, {**row, "place": "zz"}]
    assert place.categories.codes(seen[:, place.places], rows).tolist() == [7, MISSING, UNSEEN]
    assert seen[0].tolist() == [41, 3, 7, 1]


def test_options_that_make_no_sense_are_refused() -> None:
    for wrong in ({"share": -0.1}, {"window_s": 0}, {"keep_rows": 0}, {"every_s": math.nan}):
        with pytest.raises(InputError):
            Records(**wrong)  # type: ignore[arg-type]


def test_a_project_has_a_store_and_tells_what_is_private(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert store_of(tmp_path) is None
    assert "predictions are not recorded" in capsys.readouterr().err
    assert private_columns(tmp_path) == ()
    brief = 'target = "late"\nprivate = ["name"]\n[columns.ssn]\nprivate = true\n[columns.age]\nkind = "number"\n'
    (tmp_path / "shiplap.toml").write_text(brief)
    assert store_of(tmp_path) == tmp_path / ".shiplap"
    assert private_columns(tmp_path) == ("name", "ssn")
    assert capsys.readouterr().err == ""
