from __future__ import annotations

import pytest

from shiplap.core.errors import StoreError
from shiplap.core.store import Store


def test_a_name_means_what_was_said_last_and_all_that_was_said_stays(store: Store) -> None:
    first, second = store.put(b"first"), store.put(b"second")
    store.name("churn@production", first, who="ann", why="first model")
    store.name("churn@2", second)
    store.name("churn@production", second, who="bob", why="earns more")
    store.name("churn@production", first, who="ann", why="rolled back: alarms")
    assert store.resolve("churn@production") == first
    assert {name: record.digest for name, record in store.names().items()} == {
        "churn@2": second,
        "churn@production": first,
    }
    history = store.history("churn@production")
    assert [(record.digest, record.who, record.why) for record in history] == [
        (first, "ann", "rolled back: alarms"),
        (second, "bob", "earns more"),
        (first, "ann", "first model"),
    ]
    assert history[0].at >= history[2].at
    assert store.history("churn@2")[0].who


def test_an_unknown_name_is_answered_with_the_nearest(store: Store) -> None:
    store.name("churn@production", store.put(b"one"))
    with pytest.raises(StoreError, match=r"no name 'churn@prodution' .did you mean 'churn@production'"):
        store.resolve("churn@prodution")


def test_a_name_points_at_something_that_is_there(store: Store) -> None:
    with pytest.raises(StoreError, match="has no object abababababab"):
        store.name("churn@production", "ab" * 32)
    assert store.names() == {}


@pytest.mark.parametrize("name", ["", "a b", "a@b@c", "@", "../x", "a/b", "x" * 101, "a\n"])
def test_a_name_that_is_none_is_refused(store: Store, name: str) -> None:
    digest = store.put(b"one")
    with pytest.raises(StoreError, match="is not a name"):
        store.name(name, digest)
