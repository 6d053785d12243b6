"""Texts in the certificate: hard ones and made-up ones catch what goes wrong; no customer's text is kept."""

import msgspec
import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from shiplap.core.encoding import Encoding
from shiplap.proof import certify, lower
from shiplap.proof.rows import built_rows
from shiplap.proof.synthetic import made_up_rows

NOTES = [f"{word} sailed to {port} with {count} crates" for count in (3, 12) for word in ("Anna", "Béla", "Zoë")
         for port in ("Oslo", "Split", "Lomé")]  # fmt: skip


def packed(vectorizer):
    """Return a model of notes and what it is lowered to."""
    model = make_pipeline(vectorizer, LogisticRegression())
    return lower(model.fit(NOTES, [len(note) % 2 for note in NOTES]), NOTES)


@pytest.fixture(scope="module")
def subject():
    return packed(CountVectorizer(strip_accents="unicode", ngram_range=(1, 2)))


def test_built_rows_hold_every_word_alone_and_texts_that_are_hard_to_cut(subject):
    cases = {case.kind: case.frame["text"].tolist() for case in built_rows(subject, np.random.default_rng(0))}
    assert set(cases["single words"]) == set(subject.lowered.encoding.operations[0].vocabulary)
    assert {"", "__init__ _x_"} <= set(cases["hard texts"])
    assert any("oslo" in text.lower() for text in cases["made-up texts"])
    assert not set(NOTES) & {text for texts in (cases["hard texts"], cases["made-up texts"]) for text in texts}


def test_made_up_rows_are_texts_of_known_words_and_none_that_a_customer_wrote(subject):
    texts = [row["text"] for row in made_up_rows(subject, 300, np.random.default_rng(0))]
    assert all(isinstance(text, str) for text in texts)
    assert not set(NOTES) & set(texts)
    assert sum("sailed" in text.lower() for text in texts) > 50
    hashed = packed(HashingVectorizer(n_features=64))
    assert not any("sailed" in row["text"].lower() for row in made_up_rows(hashed, 300, np.random.default_rng(0)))


@pytest.mark.parametrize(
    "wrong",
    [
        {"strip_accents": "none"},
        {"lowercase": False},
        {"shortest": 1},
        {"characters": "ascii_word"},
        {"ngrams": (1, 1)},
        {"binary": True},
        {"stop_words": ("to",)},
        {"whole": True, "characters": "ascii_letter"},
    ],
    ids=str,
)
def test_a_wrong_word_of_the_operation_is_seen_and_placed_in_the_vectorizer(subject, load_draft, wrong):
    operation = msgspec.structs.replace(subject.lowered.encoding.operations[0], **wrong)
    certificate = certify(subject, load_draft(subject, encoding=Encoding(operations=(operation,))))
    assert certificate.flips > 0
    assert certificate.failures[0].node == "countvectorizer"


def test_a_column_of_texts_is_called_one_and_shows_no_example(subject):
    field = subject.signature.inputs[0]
    assert (field.name, field.kind, field.example) == ("text", "text", "a few words")
