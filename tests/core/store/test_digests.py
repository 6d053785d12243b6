from __future__ import annotations

import datetime
import math
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiplap.core.brief import Brief
from shiplap.core.errors import StoreError
from shiplap.core.store import Step, code_digest, digest_of_value

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), values, max_size=6), st.randoms())
def test_the_order_of_keys_does_not_matter(value: dict[str, object], random) -> None:
    keys = list(value)
    random.shuffle(keys)
    assert digest_of_value({key: value[key] for key in keys}) == digest_of_value(value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1, True),
        (0, False),
        (1, "1"),
        (None, "null"),
        (math.nan, None),
        (math.inf, -math.inf),
        (math.nan, "NaN"),
        (0.1, 0.1 + 1e-17 * 2),
        ([], {}),
        ([1, 2], [2, 1]),
        ("\ud800", "?"),
    ],
)
def test_different_values_have_different_digests(one: object, other: object) -> None:
    assert (digest_of_value({"x": one}) == digest_of_value({"x": other})) == (one == other and type(one) is type(other))


def test_nouns_and_sets_and_dates_have_digests() -> None:
    assert digest_of_value(Brief(target="a")) != digest_of_value(Brief(target="b"))
    assert digest_of_value({"b", "a", "c"}) == digest_of_value({"c", "b", "a"})
    assert digest_of_value(datetime.date(2013, 1, 1)) != digest_of_value(datetime.date(2013, 1, 2))
    assert digest_of_value(Step(verb="train")) == digest_of_value(Step(verb="train"))


def test_a_value_without_a_plain_form_is_refused() -> None:
    with pytest.raises(StoreError, match=r"no digest.*plain values"):
        digest_of_value({"model": object()})


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "little_package"
    (folder / "deep").mkdir(parents=True)
    for name in ("__init__.py", "one.py", "deep/__init__.py", "deep/two.py"):
        (folder / name).write_text("raise RuntimeError('imported')\n" if name != "__init__.py" else "")
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def test_code_is_followed_into_packages_and_never_imported(package: Path) -> None:
    before = code_digest("little_package"), code_digest("little_package.one"), code_digest("little_package.deep")
    assert len(set(before)) == 3
    (package / "deep" / "two.py").write_text("x = 1\n")
    after = code_digest("little_package"), code_digest("little_package.one"), code_digest("little_package.deep")
    assert [a == b for a, b in zip(after, before, strict=True)] == [False, True, False]
    assert not [name for name in sys.modules if name.startswith("little_package")]


def test_renaming_code_changes_its_digest(package: Path) -> None:
    before = code_digest("little_package")
    (package / "one.py").rename(package / "uno.py")
    assert code_digest("little_package") != before


@pytest.mark.parametrize("name", ["no_such_package", "shiplap.no_such_room", "shiplap.core.brief.Brief", "sys"])
def test_code_without_a_source_is_refused(name: str) -> None:
    with pytest.raises(StoreError, match=f"no source of a module '{name}'"):
        code_digest(name)
