"""A ship that reads texts, over HTTP: rows and batches, in any script, with the same answers as in Python."""

import httpx
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import shiplap as sl

TEXTS = ["free prize, call now", "see you at the café", "WIN a free holiday", "I'm late, 5 minutes", "日本語 🚢 ok", ""]


@pytest.fixture(scope="module")
def model():
    return make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(TEXTS * 3, [1, 0, 1, 0, 0, 0] * 3)


def test_texts_are_answered_one_by_one_and_in_batches(model, start, tmp_path):
    path = tmp_path / "spam.ship"
    sl.pack(model, TEXTS, path=path)
    expected = model.predict_proba(TEXTS)[:, 1].tolist()
    with start(path) as run, httpx.Client(base_url=run.url) as client:
        single = [client.post("/predict", json={"text": text}).json() for text in TEXTS]
        batch = client.post("/predict", json=[{"text": text} for text in TEXTS]).json()
        missing = client.post("/predict", json={"text": None}).json()
        refused = client.post("/predict", json={"text": 1.5})
        described = client.get("/openapi.json").json()
        assert run.stop() == ""
    for answers in (single, batch):
        assert [answer["probabilities"]["1"] for answer in answers] == pytest.approx(expected, abs=1e-12)
    assert missing == single[-1]
    assert refused.status_code == 422
    assert refused.json()["detail"] == "column 'text': expected a text, got 1.5 (float)"
    assert refused.json()["expected"].startswith("a text")
    assert "a few words" in str(described)
