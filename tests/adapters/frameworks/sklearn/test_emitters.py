import numpy as np
import pytest
from lightgbm import LGBMClassifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeRegressor

from shiplap.adapters.frameworks.sklearn import date_parts

NUMBERS = ["height", "price", "count"]
FILLED = Pipeline([("fill", SimpleImputer(strategy="median", add_indicator=True)), ("scale", StandardScaler())])
CODES = OrdinalEncoder(
    categories=[["teal", "red", "blue", "green"], ["square", "round"]],
    handle_unknown="use_encoded_value",
    unknown_value=np.nan,
    encoded_missing_value=np.nan,
)


def prepared(numbers, categories):
    return ColumnTransformer(
        [
            ("number", numbers, NUMBERS),
            ("category", categories, ["color", "shape"]),
            ("date", FunctionTransformer(date_parts, kw_args={"parts": ("month", "weekday", "hour")}), ["at"]),
        ]
    )


def dated(numbers, categories):
    """The same without the dates, which hold missing values that linear models refuse."""
    return ColumnTransformer([("number", numbers, NUMBERS), ("category", categories, ["color", "shape"])])


PREDICTORS = [
    (LogisticRegression(max_iter=500), "binary"),
    (LogisticRegression(max_iter=500), "texts"),
    (LogisticRegression(max_iter=500), "multiclass"),
    (SGDClassifier(loss="log_loss", random_state=0), "binary"),
    (LinearRegression(), "regression"),
    (Ridge(), "regression"),
    (Lasso(alpha=0.01), "regression"),
    (ElasticNet(alpha=0.01), "regression"),
    (SGDRegressor(random_state=0), "regression"),
    (PoissonRegressor(), "positive"),
    (DecisionTreeClassifier(random_state=0), "multiclass"),
    (DecisionTreeRegressor(max_depth=6), "regression"),
    (ExtraTreeRegressor(random_state=0), "regression"),
    (RandomForestClassifier(8, random_state=0), "binary"),
    (RandomForestClassifier(8, random_state=0), "multiclass"),
    (ExtraTreesClassifier(8, random_state=0), "texts"),
    (RandomForestRegressor(8, random_state=0), "regression"),
    (ExtraTreesRegressor(8, random_state=0), "regression"),
    (GradientBoostingClassifier(n_estimators=12), "binary"),
    (GradientBoostingClassifier(n_estimators=12, loss="exponential"), "binary"),
    (GradientBoostingClassifier(n_estimators=6, init="zero"), "multiclass"),
    (GradientBoostingRegressor(n_estimators=12), "regression"),
    (HistGradientBoostingClassifier(max_iter=12), "binary"),
    (HistGradientBoostingClassifier(max_iter=6), "multiclass"),
    (HistGradientBoostingRegressor(max_iter=12, loss="poisson"), "positive"),
    (HistGradientBoostingRegressor(max_iter=12, loss="quantile", quantile=0.7), "regression"),
    (CalibratedClassifierCV(LinearSVC(random_state=0), cv=3), "binary"),
    (CalibratedClassifierCV(RandomForestClassifier(5, random_state=0), method="isotonic", cv=3), "multiclass"),
    (CalibratedClassifierCV(LogisticRegression(max_iter=500), method="temperature", cv=2), "multiclass"),
    (TransformedTargetRegressor(Ridge(), func=np.log1p, inverse_func=np.expm1), "positive"),
    (TransformedTargetRegressor(Ridge(), transformer=StandardScaler()), "regression"),
]


@pytest.mark.parametrize(("model", "target"), PREDICTORS, ids=lambda value: str(value)[:48])
def test_predictor_answers_as_the_original(model, target, rows, targets, difference):
    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=110)
    pipeline = Pipeline([("prepare", dated(FILLED, one_hot)), ("model", model)]).fit(rows, targets[target])
    assert difference(pipeline, rows) <= 1e-13


CATEGORIES = [
    CODES,
    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
    OrdinalEncoder(min_frequency=0.15, handle_unknown="use_encoded_value", unknown_value=99),
    OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    OneHotEncoder(drop="first"),
    OneHotEncoder(drop="if_binary", max_categories=3, handle_unknown="infrequent_if_exist"),
    TargetEncoder(),
]


@pytest.mark.parametrize("encoder", CATEGORIES, ids=lambda value: str(value)[:60])
@pytest.mark.parametrize("target", ["binary", "multiclass", "regression"])
def test_categories_become_what_the_encoder_makes_of_them(encoder, target, rows, targets, difference):
    trees = DecisionTreeRegressor if target == "regression" else DecisionTreeClassifier
    model = trees(random_state=0)
    pipeline = Pipeline([("prepare", dated("passthrough", encoder)), ("model", model)]).fit(rows, targets[target])
    assert difference(pipeline, rows) <= 2e-16


@pytest.mark.parametrize(
    "scaler",
    [
        StandardScaler(),
        StandardScaler(with_mean=False),
        MinMaxScaler(feature_range=(-1, 3), clip=True),
        MaxAbsScaler(),
        RobustScaler(),
        SimpleImputer(),
        SimpleImputer(strategy="constant", fill_value=-7.5, add_indicator=True),
        SimpleImputer(strategy="most_frequent"),
        FunctionTransformer(np.abs),
        FunctionTransformer(),
        FeatureUnion([("as is", "passthrough"), ("scaled", StandardScaler())]),
    ],
    ids=str,
)
def test_numbers_are_transformed_to_the_same_bits(scaler, rows, targets, difference):
    """A tree after the transformer would show one wrong bit at a threshold."""
    pipeline = Pipeline([("scale", scaler), ("model", HistGradientBoostingRegressor(max_iter=30))])
    assert difference(pipeline.fit(rows[NUMBERS], targets["regression"]), rows) == 0.0


def test_text_columns_are_imputed_before_encoding(rows, targets, difference):
    filled = Pipeline([("fill", SimpleImputer(strategy="most_frequent")), ("code", OrdinalEncoder())])
    columns = ColumnTransformer([("category", filled, ["shape"]), ("rest", "passthrough", ["price"])])
    known = rows.assign(shape=rows["shape"].fillna(np.nan))
    pipeline = Pipeline([("prepare", columns), ("model", DecisionTreeClassifier(random_state=0))])
    assert difference(pipeline.fit(known, targets["binary"]), known) <= 2e-16


def test_columns_by_index_slice_and_remainder(rows, targets, difference):
    array = rows[["price", "count", "open"]].to_numpy(dtype=float)
    columns = ColumnTransformer(
        [("first", StandardScaler(), [0]), ("gone", "drop", slice(1, 2))], remainder="passthrough"
    )
    pipeline = Pipeline([("prepare", columns), ("none", "passthrough"), ("model", LogisticRegression())])
    assert difference(pipeline.fit(array, targets["binary"]), array) <= 1e-15


def test_native_categories_of_histogram_boosting(rows, targets, difference):
    frame = rows[["price", "color", "shape", "open"]].astype({"color": "category", "shape": "category"})
    model = HistGradientBoostingClassifier(max_iter=15).fit(frame, targets["binary"])
    assert difference(model, frame) <= 1e-15


@pytest.mark.parametrize("method", ["temperature", "sigmoid", "isotonic"])
@pytest.mark.parametrize("target", ["binary", "multiclass"])
def test_frozen_booster_calibrated(method, target, rows, targets, difference):
    """What `train` builds."""
    prepare = prepared("passthrough", CODES).fit(rows)
    matrix, labels = prepare.transform(rows), targets[target]
    booster = LGBMClassifier(n_estimators=25, verbose=-1, n_jobs=1).fit(matrix[:400], labels[:400])
    calibrated = CalibratedClassifierCV(FrozenEstimator(booster), method=method).fit(matrix[400:], labels[400:])
    assert difference(Pipeline([("prepare", prepare), ("model", calibrated)]), rows) <= 1e-14


def test_a_booster_on_codes_is_one_tree_ensemble(rows, targets, operators):
    booster = LGBMClassifier(n_estimators=5, verbose=-1, n_jobs=1)
    pipeline = Pipeline([("prepare", prepared("passthrough", CODES)), ("model", booster)]).fit(rows, targets["binary"])
    assert operators(pipeline, rows) == ["TreeEnsemble", "Sigmoid", "Gemm"]
