import io
import zipfile

import numpy as np
import pytest
import skops.io
from lightgbm import LGBMClassifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

from shiplap.adapters.frameworks.sklearn import date_parts
from shiplap.adapters.frameworks.sklearn.persist import dump, load
from shiplap.core.errors import InputError


def test_what_train_makes_comes_back_and_answers_the_same(rows, targets):
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    prepare = ColumnTransformer(
        [
            ("number", "passthrough", ["height", "price"]),
            ("category", codes, ["color"]),
            ("date", FunctionTransformer(date_parts, kw_args={"parts": ("month", "hour")}), ["at"]),
        ]
    ).fit(rows)
    matrix, labels = prepare.transform(rows), targets["texts"]
    booster = LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1).fit(matrix, labels)
    calibrated = CalibratedClassifierCV(FrozenEstimator(booster), method="temperature").fit(matrix, labels)
    pipeline = Pipeline([("prepare", prepare), ("model", calibrated)])
    back = load(dump(pipeline))
    np.testing.assert_array_equal(back.predict_proba(rows), pipeline.predict_proba(rows))


def test_a_type_that_is_not_ours_is_not_built():
    content = skops.io.dumps(FunctionTransformer(np.save))
    with pytest.raises(InputError, match="not trusted"):
        load(content)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 truncated"])
def test_garbage_is_refused(content):
    with pytest.raises(InputError, match=r"not a model file|the model file is empty"):
        load(content)


def test_a_zip_of_something_else_is_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(InputError, match=r"not a model file|the model file is empty"):
        load(buffer.getvalue())
