"""Vectorizers of texts: the same answers on texts that are hard to cut, in every way that a ship can express."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from lightgbm import LGBMClassifier
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
    strip_accents_unicode,
)
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import MaxAbsScaler, StandardScaler
from sklearn.svm import LinearSVC

import shiplap as sl
from shiplap.adapters.frameworks import framework_of
from shiplap.adapters.frameworks.sklearn import text
from shiplap.core.errors import RefusedError, TableError
from shiplap.core.schema import Column
from shiplap.proof.texts import HARD_TEXTS, made_up_texts

SPAM = (
    "FREE entry! Text WIN to 80086 now, claim your £1000 prize",
    "URGENT: your mobile number was awarded 2,000 pounds, call 09061701461",
    "Winner!! You have been selected, reply CLAIM today",
    "Get a free ringtone, text TONE to 87131 - only 150p/msg",
    "Call now: last chance for your free holiday, terms at www.example.com",
    "Congratulations ur awarded 500 of CD vouchers, txt MUSIC",
)
HAM = (
    "Ok lar... I'll call you later, I'm at the café",
    "Are you coming home tonight? Mum's cooking",
    "Don't forget the tickets, the ship sails at 7",
    "I sent you the photos from Łódź yesterday",
    "sorry, in a meeting until 3. text you then",
    "haha that's so funny 😂😂 see you at the gym",
    "Can we move it to next week? I've got the flu",
)
TEXTS = [f"{text}{'' if turn == 0 else f' {turn} x' * (turn % 3)}" for turn in range(5) for text in (*SPAM, *HAM)]
SPAMS = np.array([text.startswith(SPAM) for text in TEXTS])
WAYS = {
    "by default": TfidfVectorizer(),
    "sublinear": TfidfVectorizer(sublinear_tf=True, norm="l1", smooth_idf=False),
    "no weights": TfidfVectorizer(use_idf=False, norm=None),
    "stop words": TfidfVectorizer(stop_words="english", ngram_range=(1, 2), norm=None),
    "characters": TfidfVectorizer(analyzer="char", ngram_range=(1, 2)),
    "within words": CountVectorizer(analyzer="char_wb", ngram_range=(2, 4), max_features=300),
    "accents": CountVectorizer(strip_accents="unicode", lowercase=False, token_pattern=r"(?u)\b\w+\b"),
    "accents by name": CountVectorizer(strip_accents=strip_accents_unicode, preprocessor=None),
    "ascii": CountVectorizer(strip_accents="ascii", token_pattern=r"[a-zA-Z0-9_]+", binary=True),
    "white space": CountVectorizer(tokenizer=str.split, token_pattern=None, dtype=np.float64),
    "letters": CountVectorizer(token_pattern=r"\b[a-z]{3,}\b"),
    "apostrophes": CountVectorizer(token_pattern=r"[\w'-]+"),
    "fixed": CountVectorizer(vocabulary={"call": 1, "free": 0, "never": 2}),
    "hashed": HashingVectorizer(n_features=64),
    "hashed, unsigned": HashingVectorizer(n_features=64, alternate_sign=False, norm="l1", ngram_range=(1, 2)),
    "hashed, weighed": make_pipeline(HashingVectorizer(n_features=64, norm="l1"), TfidfTransformer()),
}


@pytest.fixture(scope="module")
def tried():
    """Texts that are hard to cut into tokens, and made-up ones."""
    words = tuple(sorted({word for text in TEXTS for word in text.split()}))
    operation = text.Text(column="text", vocabulary=words)
    return [*TEXTS, *HARD_TEXTS, *made_up_texts([operation], 100, np.random.default_rng(0))]


@pytest.mark.parametrize("name", WAYS)
def test_every_way_of_counting_is_lowered_exactly(name, difference, tried):
    model = make_pipeline(WAYS[name], LogisticRegression())
    assert difference(model.fit(TEXTS, SPAMS), tried) < 1e-13


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(TfidfVectorizer(), MultinomialNB()),
        make_pipeline(CountVectorizer(), TfidfTransformer(), LinearSVC()),
        make_pipeline(TfidfVectorizer(), RandomForestClassifier(10, random_state=0)),
        make_pipeline(TfidfVectorizer(), LGBMClassifier(n_estimators=5, min_child_samples=2, verbose=-1, n_jobs=1)),
        make_pipeline(CountVectorizer(), MaxAbsScaler(), LogisticRegression()),
        make_pipeline(CountVectorizer(), StandardScaler(with_mean=False), Ridge()),
        make_pipeline(TfidfVectorizer(), TruncatedSVD(5, random_state=0), LogisticRegression()),
        make_pipeline(
            FeatureUnion([("words", TfidfVectorizer()), ("letters", TfidfVectorizer(analyzer="char_wb"))]),
            LogisticRegression(),
        ),
        GridSearchCV(make_pipeline(TfidfVectorizer(), LogisticRegression()), {"logisticregression__C": [1.0]}, cv=2),
    ],
    ids=lambda model: type(getattr(model, "steps", [[model]])[-1][-1]).__name__,
)
def test_models_of_sparse_counts_are_lowered_exactly(model, difference, tried):
    assert difference(model.fit(TEXTS, SPAMS), tried) < 1e-12


@pytest.mark.parametrize(
    ("norm", "model"),
    [
        ("l2", LogisticRegression()),
        ("l1", Ridge()),
        (None, LinearSVC()),
        ("l2", SGDClassifier(loss="log_loss", max_iter=5, tol=None, random_state=0)),
        ("l2", LogisticRegression(C=0.01, solver="saga", l1_ratio=1.0, max_iter=20, tol=0.1)),  # all weights are 0
    ],
    ids=str,
)
def test_places_that_no_weight_belongs_to_add_to_the_norm_alone(norm, model, difference, tried):
    pipeline = make_pipeline(HashingVectorizer(norm=norm, n_features=2**14), model)
    target = np.arange(len(TEXTS)) % 3 if isinstance(model, SGDClassifier) else SPAMS
    assert difference(pipeline.fit(TEXTS, target), tried) < 1e-13
    framework = framework_of(pipeline)
    assert framework.lower(pipeline, *framework.sample(TEXTS, pipeline)).encoding.width < 300


def test_a_column_of_texts_stands_beside_others(difference, tried):
    frame = pd.DataFrame({"age": np.arange(len(tried), dtype=float), "note": tried, "subject": tried[::-1]})
    columns = ColumnTransformer(
        [("note", TfidfVectorizer(), "note"), ("age", StandardScaler(), ["age"]), ("subject", CountVectorizer(), 2)]
    )
    model = make_pipeline(columns, LogisticRegression())
    model.fit(frame, np.arange(len(tried)) % 2)
    assert difference(model, frame) < 1e-12


def test_a_model_of_texts_is_packed_and_keeps_none_of_them(tmp_path):
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS, SPAMS)
    ship = sl.pack(model, pd.Series(TEXTS, name="sms"), path=tmp_path / "spam.ship")
    kinds = {kind.name for kind in ship.certificate.kinds if kind.rows}
    assert {"hard texts", "single words", "made-up texts", "made up", "one by one", "data"} <= kinds
    assert ship.certificate.flips == 0
    assert ship.certificate.vectors.rows
    assert [(field.name, field.kind) for field in ship.signature.inputs] == [("sms", "text")]
    content = ship.path.read_bytes()
    assert not [text for text in TEXTS if text.encode() in content]
    scorer = sl.load(ship.path)
    expected = model.predict(TEXTS).tolist()
    for rows in (pd.DataFrame({"sms": TEXTS}), TEXTS, pd.Series(TEXTS), np.array(TEXTS), pl.Series(TEXTS)):
        assert scorer.predict(rows).tolist() == expected
    assert scorer.predict_row({"sms": TEXTS[0]}).probabilities == pytest.approx(model.predict_proba(TEXTS[:1])[0])


def test_a_missing_text_that_the_original_refuses_is_not_compared(tmp_path):
    model = make_pipeline(CountVectorizer(), LogisticRegression()).fit(TEXTS, SPAMS)
    ship = sl.pack(model, [None, *TEXTS], path=tmp_path / "spam.ship")
    assert ship.certificate.flips == 0
    empty = sl.load(ship.path).predict_row({"text": ""})
    assert sl.load(ship.path).predict_row({"text": None}) == empty


def test_one_column_of_texts_is_found_among_numbers_and_words_and_not_among_texts():
    model = make_pipeline(CountVectorizer(), LogisticRegression()).fit(TEXTS, SPAMS)
    framework = framework_of(model)
    rows = pd.DataFrame({"size": 1.0, "note": TEXTS})
    assert framework.sample(rows, model)[0].columns.tolist() == ["note"]
    assert framework.sample(rows.assign(answer="ham"), model)[0].columns.tolist() == ["note"]
    with pytest.raises(TableError, match="reads one column of texts, and the data has 2 of 3 columns") as caught:
        framework.sample(rows.assign(answer="no spam at all"), model)
    assert "one column" in caught.value.hint


@pytest.mark.parametrize(
    ("vectorizer", "reason"),
    [
        (CountVectorizer(analyzer=str.split), "analyzer 'str.split' is code"),
        (CountVectorizer(tokenizer=str.splitlines, token_pattern=None), "tokenizer 'str.splitlines' is code"),
        (CountVectorizer(preprocessor=str.upper), "preprocessor 'str.upper' is code"),
        (CountVectorizer(strip_accents=str.strip), "strip_accents 'str.strip' is code"),
        (CountVectorizer(token_pattern=r"(?i)[a-z](\w+)"), "is none of those that a ship can express"),
        (CountVectorizer(token_pattern=r"\b[\w'-]+\b"), "is none of those that a ship can express"),
        (CountVectorizer(token_pattern=r"\w{2,4}"), "is none of those that a ship can express"),
        (TfidfVectorizer(dtype=np.float32), "counts in float32"),
        (HashingVectorizer(n_features=2**21), "n_features=2,097,152 makes a dense row of 16.8 MB"),
        (
            make_pipeline(HashingVectorizer(n_features=8, norm=None), TfidfTransformer(sublinear_tf=True, norm=None)),
            "the logarithm of hashed counts",
        ),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
@pytest.mark.filterwarnings("ignore")  # the original's own
def test_what_a_ship_cannot_express_is_refused(vectorizer, reason):
    model = vectorizer.fit(TEXTS)
    framework = framework_of(model)
    frame, columns = framework.sample(TEXTS, model)
    with pytest.raises(RefusedError, match=reason.replace("(", r"\(")) as caught:
        framework.lower(model, frame, columns)
    assert caught.value.hint


def test_a_vocabulary_of_a_private_column_is_refused_and_hashing_is_not():
    private = (Column(name="text", kind="text", dtype="VARCHAR", private=True),)
    frame = pd.DataFrame({"text": TEXTS})
    learned = make_pipeline(CountVectorizer(), LogisticRegression()).fit(TEXTS, SPAMS)
    framework = framework_of(learned)
    with pytest.raises(RefusedError, match="'text' is private, and a vocabulary is made of its words") as caught:
        framework.lower(learned, frame, private)
    assert "HashingVectorizer" in caught.value.hint
    hashed = make_pipeline(HashingVectorizer(n_features=32), LogisticRegression()).fit(TEXTS, SPAMS)
    assert framework.lower(hashed, frame, private).encoding.columns == ("text",)


def test_a_column_of_numbers_is_no_text():
    columns = ColumnTransformer([("size", CountVectorizer(), "size")])
    model = make_pipeline(columns, LogisticRegression()).fit(pd.DataFrame({"size": TEXTS}), SPAMS)
    framework = framework_of(model)
    kinds = (Column(name="size", kind="number", dtype="BIGINT"),)
    with pytest.raises(RefusedError, match="size > CountVectorizer: column 'size' holds a number, not texts"):
        framework.lower(model, pd.DataFrame({"size": TEXTS}), kinds)


@pytest.mark.parametrize(
    ("pattern", "meaning"),
    [
        (r"(?u)\b\w\w+\b", ("word", "", 2, False)),
        (r"\w+", ("word", "", 1, False)),
        (r"\w\w*", ("word", "", 1, False)),
        (r"\b\w{3,}", ("word", "", 3, False)),
        (r"\S+", ("not_space", "", 1, False)),
        (r"\b[a-zA-Z]+\b", ("ascii_letter", "", 1, True)),
        (r"[a-z]{2,}", ("ascii_lower", "", 2, False)),
        (r"[\w'-]+", ("word", "'-", 1, False)),
        (r"[^\W\d_]+", ("letter", "", 1, False)),
        (r"\b[a-z]+", None),
        (r"\b\S+\b", None),
        (r"\w*", None),
        (r"(\w+)", None),
        (r"[a-z]+?", None),
    ],
)
def test_token_patterns_of_the_closed_list_are_understood(pattern, meaning):
    names = ("characters", "also", "shortest", "whole")
    assert text._parsed(pattern) == (meaning and dict(zip(names, meaning, strict=True)))


@pytest.mark.parametrize("vectorizer", [DictVectorizer(), FeatureHasher(n_features=4)], ids=str)
def test_a_model_of_dictionaries_is_refused_before_it_is_asked(vectorizer, tmp_path):
    rows = [{"city": "Oslo", "size": 1.0}, {"city": "Rome"}]
    model = make_pipeline(vectorizer, LogisticRegression()).fit(rows, [0, 1])
    for X in (rows, pd.DataFrame(rows)):
        with pytest.raises(RefusedError, match="which are no columns of a table") as caught:
            sl.pack(model, X, path=tmp_path / "city.ship")
        assert "OneHotEncoder" in caught.value.hint
