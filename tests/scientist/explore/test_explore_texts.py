"""Texts: how long, in which scripts, with letters that look alike, and which are nearly the same."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiplap.adapters.frames import read
from shiplap.core.brief import Brief
from shiplap.methods.near_texts import SHORTEST, near_texts
from shiplap.scientist.explore import explore
from shiplap.scientist.explore.texts import look_at_texts
from shiplap.scientist.explore.view import view_of

WORDS = [f"{a}{b}{c}" for a in "bdfglmnprst" for b in "aeiou" for c in ("n", "rk", "st", "ve")]


ODD = "abç東\U0001f600"
ALIKE = st.builds("{}{}".format, st.sampled_from(["a" * 20, "abab" * 5, ODD * 3]), st.text(ODD, max_size=4))


def sentences(n: int, rng: np.random.Generator) -> list[str]:
    return [" ".join(rng.choice(WORDS, rng.integers(12, 25))) for _ in range(n)]


def looked(frame: pd.DataFrame):
    return look_at_texts(view_of(read(frame), None, private=(), seed=0))


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    review = sentences(1_000, rng)
    for place in range(40):
        review[place] = f"{review[500 + place]} zzz"
    city = np.where(np.arange(1_000) % 25 == 0, "Москва", rng.choice(["Köln", "Oslo"], 1_000))
    city[8], city[9] = "2024", "Αθήνα"
    city[7] = "\u041eslo"
    return pd.DataFrame({"review": review, "city": city, "size": rng.normal(size=1_000)})


def test_near_copies_scripts_and_look_alikes_are_said(rows):
    part = looked(rows)
    found = {(f.check, *f.columns): f for f in part.findings}
    assert set(found) == {("column.near_texts", "review"), ("column.scripts", "city"), ("column.look_alikes", "city")}
    near = found["column.near_texts", "review"]
    assert 72 <= near.value <= 80
    assert near.verdict == "warn"
    assert "zzz" in near.means
    assert "Latin (95.9 %), Cyrillic (4.0 %) of 1,000 texts" in found["column.scripts", "city"].means
    assert "in 1 of 1,000 texts looked at: '\u041eslo'" in found["column.look_alikes", "city"].means


def test_lengths_are_shown(rows):
    part = looked(rows)
    (table,) = part.tables
    lengths, words = rows["review"].str.len(), rows["review"].str.split().str.len()
    told = [part(values) for values in (lengths, words) for part in (pd.Series.min, pd.Series.median, pd.Series.max)]
    assert table.rows[0] == ("review", *told, "Latin 100 %")
    (figure,) = part.figures
    assert sum(figure.data["rows"]) == (lengths <= figure.data["high"][-1]).sum() >= 985
    assert figure.data["rows"][-1] > 0


def test_different_texts_are_not_near():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"review": [*sentences(800, rng), *["the very same words in every one of them"] * 30]})
    assert [f.check for f in looked(frame).findings] == []


def test_private_texts_appear_nowhere(rows):
    brief = Brief(private=("review",))
    said = explore(rows, brief=brief).to_json().decode()
    assert "zzz" not in said
    assert "lengths.review" not in said


def _resemblance(first: str, second: str) -> float:
    a, b = ({text[i : i + SHORTEST] for i in range(len(text) - SHORTEST + 1)} for text in (first, second))
    return len(a & b) / len(a | b) if a | b else 0.0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.text(ODD, max_size=9), ALIKE), max_size=30, unique=True), st.integers(0, 9))
def test_what_is_near_resembles_exactly_as_said(texts, seed):
    found = near_texts(texts, least=0.5, seed=seed)
    for (first, second), resemblance in zip(found.pairs, found.resemblance, strict=True):
        assert first < second
        assert resemblance == pytest.approx(_resemblance(texts[first], texts[second]))
        assert resemblance >= 0.5


def test_nearly_all_near_pairs_are_found():
    rng = np.random.default_rng(2)
    first = sentences(300, rng)
    second = [text[: int(0.92 * len(text))] for text in first]
    wanted = [_resemblance(*pair) for pair in zip(first, second, strict=True)]
    found = near_texts([*first, *second])
    assert min(wanted) > 0.85
    assert {tuple(pair) for pair in found.pairs.tolist()} <= {(place, place + 300) for place in range(300)}
    assert len(found.pairs) >= 297
