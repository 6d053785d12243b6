from __future__ import annotations

import threading
from pathlib import Path

import pytest

from shiplap.core.errors import StoreError
from shiplap.core.progress import listening
from shiplap.core.store import Step, Store, open_store

KEY = Step(verb="train", inputs={"table": "ab"}, parameters={"trees": 200}, seed=1, code="c0de")


def never() -> bytes:
    raise AssertionError("computed again")


def damage(store: Store, data: bytes) -> None:
    place = store._objects.place(store.put(data))
    place.chmod(0o644)
    place.write_bytes(b"x" * len(data))


def test_a_step_that_was_done_is_not_done_again(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        assert store.memo(KEY, lambda: b"model") == (b"model", False)
        assert store.memo(KEY, never) == (b"model", True)
    with open_store(tmp_path) as store:
        assert store.memo(KEY, never) == (b"model", True)
        assert not list((store.folder / "locks").iterdir())


@pytest.mark.parametrize(
    "change",
    [
        {"verb": "assess"},
        {"inputs": {"table": "ac"}},
        {"schema": ["age"]},
        {"parameters": {"trees": 201}},
        {"seed": 2},
        {"code": "c1de"},
        {"libraries": {"lightgbm": "4.7"}},
        {"machine": "m"},
    ],
)
def test_whatever_a_step_depends_on_changes_its_key(store: Store, change: dict[str, object]) -> None:
    fields = {name: getattr(KEY, name) for name in KEY.__struct_fields__}
    store.memo(KEY, lambda: b"one")
    assert store.memo(Step(**{**fields, **change}), lambda: b"other") == (b"other", False)


def test_a_step_that_fails_leaves_nothing(store: Store) -> None:
    for error in (ValueError("no"), KeyboardInterrupt()):

        def fail(error: BaseException = error) -> bytes:
            raise error

        with pytest.raises(type(error)):
            store.memo(KEY, fail)
    assert store.memo(KEY, lambda: b"model") == (b"model", False)


def test_a_damaged_result_is_said_and_computed_again(store: Store) -> None:
    store.memo(KEY, lambda: b"model")
    damage(store, b"model")
    heard: list[str] = []
    with listening(lambda text, done: heard.append(text)):
        assert store.memo(KEY, lambda: b"model") == (b"model", False)
    assert len(heard) == 1
    assert "(train) is of no use" in heard[0]
    assert "was damaged" in heard[0]
    assert "done again" in heard[0]
    assert store.memo(KEY, never) == (b"model", True)


def test_a_result_that_is_gone_is_said_and_computed_again(store: Store) -> None:
    store.path(store.memo_object(KEY, lambda: b"model")).unlink()
    heard: list[str] = []
    with listening(lambda text, done: heard.append(text)):
        assert store.memo(KEY, lambda: b"model") == (b"model", False)
    assert "has no object" in heard[0]


def test_a_result_counts_only_with_the_objects_it_speaks_of(store: Store) -> None:
    def train() -> bytes:
        return store.put(b"model").encode()

    def spoken_of(result: bytes) -> list[str]:
        return [result.decode()]

    assert [store.memo(KEY, train, objects=spoken_of)[1] for _ in range(2)] == [False, True]
    damage(store, b"model")
    heard: list[str] = []
    with listening(lambda text, done: heard.append(text)):
        result, hit = store.memo(KEY, train, objects=spoken_of)
    assert (store.get(result.decode()), hit) == (b"model", False)
    assert "was damaged" in heard[0]
    assert store.memo(KEY, never, objects=spoken_of)[1]


def test_large_results_go_by_their_digest(store: Store, tmp_path: Path) -> None:
    made = tmp_path / "scores.bin"

    def compute() -> Path:
        made.write_bytes(b"scores" * 1000)
        return made

    digest = store.memo_object(KEY, compute)
    made.unlink()
    assert store.memo_object(KEY, never) == digest
    assert store.path(digest).read_bytes() == b"scores" * 1000


def test_a_damaged_large_result_is_computed_again(store: Store) -> None:
    digest = store.memo_object(KEY, lambda: b"scores")
    damage(store, b"scores")
    assert store.memo_object(KEY, lambda: b"scores") == digest
    damage(store, b"scores")
    with pytest.raises(StoreError, match="was damaged"):
        store.path(digest)


def test_steps_may_need_other_steps(store: Store) -> None:
    def outer() -> bytes:
        return store.memo({"step": "inner"}, lambda: b"in")[0] + b" out"

    assert store.memo({"step": "outer"}, outer) == (b"in out", False)


def test_of_several_threads_one_computes(store: Store) -> None:
    computed: list[int] = []
    answers: list[tuple[bytes, bool]] = []

    def compute() -> bytes:
        computed.append(1)
        threading.Event().wait(0.05)
        return b"model"

    threads = [threading.Thread(target=lambda: answers.append(store.memo(KEY, compute))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(computed) == 1
    assert sorted(answers) == [(b"model", False)] + [(b"model", True)] * 7
