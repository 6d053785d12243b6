"""Categories with gaps: None, NaN and what pandas makes of them are one missing value, and never an empty text."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, TargetEncoder

from shiplap.adapters.frameworks import framework_of
from shiplap.adapters.runtimes import runtimes
from shiplap.core.errors import RefusedError
from shiplap.scoring import Encoder

N = 160
ENCODERS = {
    "one-hot": OneHotEncoder(handle_unknown="ignore"),
    "one-hot, first dropped": OneHotEncoder(drop="first", handle_unknown="ignore"),
    "one-hot, rare": OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=40),
    "ordinal": OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
    "target": TargetEncoder(cv=2),
}


def holed(kind):
    """A column of colors, a fifth of it missing: the gaps as a client's frame holds them."""
    generator = np.random.default_rng(3)
    colors = pd.Series(generator.choice(["red", "green", "blue"], N), dtype=object)
    gaps = generator.random(N) < 0.2
    if kind in {"None", "NaN"}:
        return pd.Series(np.where(gaps, None if kind == "None" else np.nan, colors), dtype=object)
    if kind == "categorical":
        return colors.where(~gaps).astype("category")
    if kind == "strings of pandas":
        return colors.where(~gaps).astype("str")
    return pd.Series(generator.choice([1.5, 2.0, 3.0], N)).where(~gaps)


def fitted(encoder, column):
    """A model that answers another way where the color is missing."""
    frame = pd.DataFrame({"color": column, "size": np.linspace(-1, 1, N)})
    target = (frame["color"].isna() | (np.random.default_rng(4).random(N) < 0.3)).astype(int)
    columns = ColumnTransformer([("color", encoder, ["color"]), ("size", "passthrough", ["size"])])
    return make_pipeline(columns, LogisticRegression()).fit(frame, target), frame


def answers(model, frame, rows):
    """What the lowered model says of rows as a client sends them."""
    framework = framework_of(model)
    sample, columns = framework.sample(frame, model)
    lowered = framework.lower(model, sample, columns)
    return runtimes.get("onnxruntime")(lowered.graph).run(Encoder(lowered.encoding).matrix(rows))


@pytest.mark.parametrize("kind", ["None", "NaN", "categorical", "strings of pandas", "numbers"])
@pytest.mark.parametrize("name", ENCODERS)
def test_a_gap_is_encoded_as_the_original_encodes_it_however_it_is_sent(name, kind):
    model, frame = fitted(ENCODERS[name], holed(kind))
    gaps = frame["color"].isna().to_numpy()
    theirs = model.predict_proba(frame)
    assert theirs[gaps, 1].mean() > theirs[~gaps, 1].mean() + 0.05  # a gap matters to the model
    np.testing.assert_allclose(answers(model, frame, frame), theirs, atol=1e-14)
    for gap in (None, float("nan"), pd.NA, pd.NaT):
        rows = [
            {"color": gap if missing else color, "size": size}
            for color, missing, size in zip(frame["color"], gaps, frame["size"], strict=True)
        ]
        np.testing.assert_allclose(answers(model, frame, rows), theirs, atol=1e-14)


@pytest.mark.filterwarnings("ignore:Found unknown categories")
@pytest.mark.parametrize("name", ENCODERS)
def test_an_empty_text_is_no_gap_where_the_original_tells_them_apart(name):
    model, frame = fitted(ENCODERS[name], holed("None"))
    empty = frame.assign(color="")
    np.testing.assert_allclose(answers(model, frame, empty), model.predict_proba(empty), atol=1e-14)


@pytest.mark.parametrize("name", ["one-hot", "ordinal"])
def test_an_encoder_that_tells_none_from_nan_is_refused(name):
    column = holed("None")
    column.iloc[::7] = np.nan
    model, frame = fitted(ENCODERS[name], column)
    framework = framework_of(model)
    with pytest.raises(RefusedError, match="it tells None from NaN in column 'color'") as caught:
        framework.lower(model, *framework.sample(frame, model))
    assert "notna" in caught.value.hint
    model, frame = fitted(ENCODERS[name], column.where(column.notna(), None))
    np.testing.assert_allclose(answers(model, frame, frame), model.predict_proba(frame), atol=1e-14)
