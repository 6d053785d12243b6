"""Texts: the same tokens, counted in the same places, as scikit-learn counts them."""

from __future__ import annotations

import re
import sys
import time
import unicodedata
from decimal import Decimal
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.utils import murmurhash3_32

from shiplap.core.encoding import Characters, Encoding, Number, Text
from shiplap.core.errors import RowError
from shiplap.scoring.encoder import Encoder
from shiplap.scoring.readers.murmur import murmur3
from shiplap.scoring.readers.text import TextReader, token_expression
from shiplap.scoring.values import UnreadableError

MARKS = "aAzZ09_ ßİıǅﬁéÉe\u0301ñ\u200d\u200c\u00a0\u2028\n\t\x1c.,'-!漢字🚢👩ΣςΑ½²٣"
TEXTS = st.text(st.sampled_from(MARKS), max_size=40) | st.text(max_size=20)
WAYS: list[dict[str, Any]] = [
    {},
    {"ngram_range": (1, 3)},
    {"ngram_range": (2, 2), "lowercase": False},
    {"stop_words": ["aa", "00"], "ngram_range": (1, 2)},
    {"token_pattern": r"(?u)\b\w+\b", "strip_accents": "unicode"},
    {"token_pattern": r"[a-zA-Z0-9_]+", "strip_accents": "ascii"},
    {"token_pattern": r"\S+", "binary": True},
    {"token_pattern": r"(?u)\b[a-zA-Z]{2,}\b"},
    {"token_pattern": r"[^\W\d_]+"},
    {"token_pattern": r"[\w'-]+"},
    {"analyzer": "char", "ngram_range": (1, 3)},
    {"analyzer": "char_wb", "ngram_range": (2, 5)},
    {"analyzer": "char_wb", "ngram_range": (4, 4), "strip_accents": "unicode"},
]
PARTS: dict[str, dict[str, Any]] = {
    r"(?u)\b\w+\b": {"shortest": 1},
    r"[a-zA-Z0-9_]+": {"characters": "ascii_word", "shortest": 1},
    r"\S+": {"characters": "not_space", "shortest": 1},
    r"(?u)\b[a-zA-Z]{2,}\b": {"characters": "ascii_letter", "whole": True},
    r"[^\W\d_]+": {"characters": "letter", "shortest": 1},
    r"[\w'-]+": {"also": "'-", "shortest": 1},
}


def operation(way: dict[str, Any], **parts: Any) -> Text:
    """Say in an operation what the arguments of a vectorizer say."""
    return Text(
        column="text",
        analyzer=way.get("analyzer", "word"),
        lowercase=way.get("lowercase", True),
        strip_accents=way.get("strip_accents", "none"),
        ngrams=way.get("ngram_range", (1, 1)),
        stop_words=tuple(way.get("stop_words", ())),
        binary=way.get("binary", False),
        **PARTS.get(way.get("token_pattern", ""), {}),
        **parts,
    )


@pytest.mark.parametrize("way", WAYS, ids=repr)
@given(texts=st.lists(TEXTS, min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_counts_are_those_of_scikit_learn(way: dict[str, Any], texts: list[str]) -> None:
    original = CountVectorizer(**way)
    vocabulary = sorted({token for text in texts for token in original.build_analyzer()(text)}) or ["nothing"]
    original.set_params(vocabulary=vocabulary)
    reader = TextReader(operation(way, vocabulary=tuple(vocabulary)))
    expected = original.transform(texts).toarray()
    np.testing.assert_array_equal(reader.many(texts), expected)
    np.testing.assert_array_equal([reader.one(text) for text in texts], expected)


@pytest.mark.parametrize("alternate", [True, False])
@pytest.mark.parametrize("way", [WAYS[1], WAYS[6], WAYS[11]], ids=repr)
@given(texts=st.lists(TEXTS, min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_hashed_counts_are_those_of_scikit_learn(way: dict[str, Any], alternate: bool, texts: list[str]) -> None:
    original = HashingVectorizer(n_features=7, norm=None, alternate_sign=alternate, **way)
    reader = TextReader(operation(way, n_features=7, alternate_sign=alternate))
    np.testing.assert_array_equal(reader.many(texts), original.transform(texts).toarray())


@given(data=st.binary(max_size=40))
@settings(max_examples=500)
def test_the_hash_is_murmur3(data: bytes) -> None:
    assert murmur3(data) == murmurhash3_32(data, seed=0)


def test_a_token_longer_than_is_remembered_is_hashed_as_any_other() -> None:
    text = "x" * 1_000
    original = HashingVectorizer(n_features=1_000, norm=None).transform([text]).toarray()
    np.testing.assert_array_equal(
        TextReader(Text(column="text", n_features=1_000)).many([text, text]), original[[0, 0]]
    )


def test_a_missing_text_counts_nothing() -> None:
    reader = TextReader(Text(column="text", vocabulary=("na", "one"), missing=("NA",)))
    for value in (None, float("nan"), np.datetime64("NaT"), "", "NA"):
        assert reader.one(value) == (0.0, 0.0)
    assert reader.one("na") == (1.0, 0.0)


def test_a_whole_number_is_its_digits_and_anything_else_is_refused() -> None:
    reader = TextReader(Text(column="text", vocabulary=("2013", "18446744073709551615")))
    for value in (2013, 2013.0, np.int32(2013), Decimal("2013.0"), np.str_("2013")):
        assert reader.one(value) == (1.0, 0.0)
    assert reader.one(2**64 - 1) == (0.0, 1.0)
    for value in (2.5, True, np.bool_(True), 2**64, 2.0**60, float("inf"), b"2013", ["2013"], np.datetime64("2013")):
        with pytest.raises(UnreadableError, match="a text"):
            reader.one(value)


def test_a_row_and_a_table_count_the_same_beside_other_columns() -> None:
    operations = (
        Number(column="age"),
        Text(column="note", vocabulary=("call", "free")),
        Text(column="note", analyzer="char", n_features=5),
        Number(column="size"),
    )
    encoder = Encoder(Encoding(operations=operations))
    rows: list[dict[str, Any]] = [
        {"age": 4, "note": "Call, call FREE", "size": "1.5"},
        {"age": None, "size": 2},
        {"age": 1, "note": 12, "size": 3},
    ]
    matrix = encoder.matrix(rows)
    assert matrix[0, 1:3].tolist() == [2.0, 1.0]
    out = np.full((1, encoder.width), 9.0)
    for row, expected in zip(rows, matrix, strict=True):
        encoder.row(row, out)
        np.testing.assert_array_equal(out[0], expected)
    with pytest.raises(RowError, match=r"row 1, column 'note': expected a text, got 1\.5"):
        encoder.matrix([rows[0], {"note": 1.5}])
    with pytest.raises(RowError, match="column 'note': expected a text, got a list"):
        encoder.row({"note": ["call"]}, out)


def test_words_and_spaces_are_what_the_format_says() -> None:
    spaces = {*range(0x09, 0x0E), *range(0x1C, 0x21), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B)}
    spaces |= {0x2028, 0x2029, 0x202F, 0x205F, 0x3000}
    everything = [chr(code) for code in range(sys.maxunicode + 1)]
    words = {
        mark
        for mark in everything
        if mark == "_" or unicodedata.category(mark).startswith("L") or unicodedata.numeric(mark, None) is not None
    }
    assert set(re.findall(r"\w", "".join(everything))) == words
    assert {ord(mark) for mark in re.findall(r"\s", "".join(everything))} == spaces
    assert {ord(mark) for mark in everything if not mark.split()} == spaces


@pytest.mark.parametrize("characters", get_args(Characters))
def test_every_kind_of_character_has_an_expression(characters: Characters) -> None:
    assert re.compile(token_expression(Text(column="text", characters=characters))).findall("ab ab") == ["ab", "ab"]


@given(texts=st.lists(TEXTS, min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_hashed_places_can_be_chosen_and_the_others_summed_up(texts: list[str]) -> None:
    whole = TextReader(Text(column="text", n_features=11, shortest=1)).many(texts)
    places, others = (7, 0, 3), [1, 2, 4, 5, 6, 8, 9, 10]
    sums = {
        "none": [],
        "sizes": [np.abs(whole[:, others]).sum(axis=1)],
        "squares": [(whole[:, others] ** 2).sum(axis=1)],
    }
    for rest, more in sums.items():
        chosen = Text(column="text", n_features=11, shortest=1, places=places, rest=rest)
        reader, expected = TextReader(chosen), np.column_stack([whole[:, list(places)], *more])
        assert reader.width == expected.shape[1]
        np.testing.assert_array_equal(reader.many(texts), expected)
        np.testing.assert_array_equal([reader.one(text) for text in texts], expected)


@pytest.mark.parametrize("accents", ["ascii", "unicode"])
def test_marks_one_upon_the_other_take_no_longer_than_letters(accents: Any) -> None:
    reader = TextReader(Text(column="note", vocabulary=("a",), strip_accents=accents, shortest=1))
    start = time.process_time()
    assert reader.one("a" + "\u0300\u0316" * 60_000 + " a") == (2.0,)
    assert time.process_time() - start < 2
