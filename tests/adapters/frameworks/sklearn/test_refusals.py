import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import DBSCAN, KMeans
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeRegressor

from shiplap.adapters.frameworks import framework_of
from shiplap.adapters.frameworks.sklearn import date_parts
from shiplap.core.errors import RefusedError, TableError


class MyTransformer(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return X


def lower(model, X):
    framework = framework_of(model)
    frame, columns = framework.sample(X, model)
    return framework.lower(model, frame, columns)


def test_a_custom_transformer_is_named_with_its_path(rows, targets):
    columns = ColumnTransformer([("own", MyTransformer(), ["price"]), ("rest", StandardScaler(), ["count"])])
    model = Pipeline([("prepare", columns), ("model", LogisticRegression())]).fit(rows, targets["binary"])
    with pytest.raises(RefusedError, match=r"^prepare > own > MyTransformer: no emitter") as caught:
        lower(model, rows)
    assert caught.value.hint


def test_a_lambda_is_refused(rows, targets):
    model = Pipeline([("square", FunctionTransformer(lambda X: X**2)), ("model", LogisticRegression())])
    with pytest.raises(RefusedError, match=r"square > FunctionTransformer: the function .*lambda.* is code"):
        lower(model.fit(rows[["price"]], targets["binary"]), rows[["price"]])


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (LogisticRegression(), "is not fitted"),
        (Ridge(), "is not fitted"),
        (SVC(), "is not fitted"),
        (KMeans(), "is not fitted"),
        (DBSCAN().fit([[0.0], [1.0]]), "answers only for the rows it was fitted on"),
    ],
    ids=str,
)
def test_what_cannot_predict_is_refused(model, message, rows):
    with pytest.raises(RefusedError, match=message):
        lower(model, rows[["price"]])


def test_text_that_reaches_a_model_is_refused(rows, targets):
    columns = ColumnTransformer([("as is", "passthrough", ["color", "price"])])
    model = Pipeline([("prepare", columns), ("model", DecisionTreeRegressor())])
    digits = rows.assign(color="1")
    model.fit(digits, targets["regression"])
    with pytest.raises(RefusedError, match="column 'color' holds a category") as caught:
        lower(model, digits)
    assert "OrdinalEncoder" in caught.value.hint


def test_date_parts_of_a_number_is_refused(rows, targets):
    parts = FunctionTransformer(date_parts, kw_args={"parts": ("year",)})
    model = Pipeline([("parts", parts), ("model", Ridge())]).fit(rows[["count"]], targets["regression"])
    with pytest.raises(RefusedError, match="column 'count', which holds a number"):
        lower(model, rows[["count"]])


def test_data_that_lacks_a_column_names_the_nearest(rows, targets):
    model = Ridge().fit(rows[["price", "count"]], targets["regression"])
    with pytest.raises(TableError, match=r"no column 'price'.*") as caught:
        lower(model, rows[["count"]].assign(prize=1.0))
    assert "prize" in str(caught.value)


def test_an_array_of_another_width_is_refused():
    model = Ridge().fit(np.zeros((3, 2)), np.zeros(3))
    with pytest.raises(TableError, match="fitted on 2 columns, and the data has 3"):
        lower(model, np.zeros((3, 3)))


def test_an_unknown_framework_is_refused():
    with pytest.raises(RefusedError, match="belongs to no known framework"):
        framework_of(pd.DataFrame())


def test_categories_that_are_one_double_are_refused(targets):
    X = pd.DataFrame({"id": [2**60 + index % 3 for index in range(len(targets["binary"]))]})
    model = Pipeline([("codes", OrdinalEncoder()), ("model", LogisticRegression())]).fit(X, targets["binary"])
    with pytest.raises(RefusedError, match=r"whole numbers beyond 2\*\*53"):
        lower(model, X)
