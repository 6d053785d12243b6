"""Estimators around one other: searches, thresholds, calibration, selection, self-training, targets put back."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import TransformedTargetRegressor
from sklearn.feature_selection import RFE, RFECV, SelectFromModel, SequentialFeatureSelector
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    PredefinedSplit,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import OneVsOneClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from shiplap.core.errors import RefusedError

TREE = DecisionTreeClassifier(max_depth=2, random_state=0)
SVM = LinearSVC(random_state=0)


@pytest.mark.parametrize("method", ["predict_proba", "predict", "decision_function"])
def test_a_search_answers_as_the_best_it_found(method, plain, proven):
    search = RandomizedSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression()),
        {"logisticregression__C": [0.1, 1.0]},
        n_iter=2,
        cv=2,
        random_state=0,
    )
    proven(search.fit(plain["rows"], plain["texts"]), plain["rows"], method)


@pytest.mark.parametrize("method", ["", "transform"])
def test_a_search_may_find_clusters(method, plain, proven):
    inner = make_pipeline(StandardScaler(), KMeans(3, n_init=1, random_state=0))
    search = GridSearchCV(inner, {"kmeans__n_clusters": [2, 3]}, cv=2).fit(plain["rows"])
    proven(search, plain["rows"], method)


def test_a_search_without_a_refit_is_refused(plain, proven):
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=2, refit=False)
    with pytest.raises(RefusedError):
        proven(search.fit(plain["rows"], plain["texts"]), plain["rows"])


@pytest.mark.parametrize("positive", ["yes", "no"])
@pytest.mark.parametrize(
    ("member", "response"),
    [(LogisticRegression(), "auto"), (LogisticRegression(), "decision_function"), (SVM, "auto"), (TREE, "auto")],
)
def test_a_fixed_threshold_decides(member, response, positive, plain, proven):
    model = FixedThresholdClassifier(member, threshold=0.37, pos_label=positive, response_method=response)
    model.fit(plain["rows"], plain["binary"])
    lowered = proven(model, plain["rows"])
    assert lowered.threshold is not None
    if member is not TREE:
        assert (model.predict(plain["rows"]) != model.estimator_.predict(plain["rows"])).any()
    proven(model, plain["rows"], "predict")


def test_a_threshold_on_probabilities_leaves_scores_without_a_decision(plain, proven):
    model = FixedThresholdClassifier(LogisticRegression(), threshold=0.3).fit(plain["rows"], plain["binary"])
    assert proven(model, plain["rows"], "decision_function").task == "tensor"


@pytest.mark.parametrize("wrap", [lambda model: model, lambda model: make_pipeline(StandardScaler(), model)])
def test_a_tuned_threshold_decides(wrap, plain, proven):
    model = wrap(TunedThresholdClassifierCV(LogisticRegression(), cv=2, scoring="balanced_accuracy"))
    assert proven(model.fit(plain["rows"], plain["binary"]), plain["rows"]).threshold is not None


def test_a_search_keeps_the_threshold_of_its_best(plain, proven):
    search = GridSearchCV(
        FixedThresholdClassifier(LogisticRegression(), threshold=0.7), {"estimator__C": [0.1, 1.0]}, cv=2
    )
    assert proven(search.fit(plain["rows"], plain["binary"]), plain["rows"]).threshold == 0.7


def test_one_pair_of_classes_decides_at_its_own_number(plain, proven):
    lowered = proven(OneVsOneClassifier(TREE).fit(plain["rows"], plain["binary"]), plain["rows"])
    assert lowered.threshold == np.nextafter(0.5, 1.0)


@pytest.mark.parametrize("target", ["texts", "binary"])
@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
@pytest.mark.parametrize("member", [SVM, RidgeClassifier(), TREE], ids=lambda value: type(value).__name__)
def test_scores_are_calibrated(member, method, target, plain, proven):
    model = CalibratedClassifierCV(member, method=method, cv=2).fit(plain["rows"], plain[target])
    proven(model, plain["rows"])


@pytest.mark.parametrize("method", ["predict_proba", "predict"])
def test_one_frozen_estimator_is_calibrated(method, plain, proven):
    frozen = FrozenEstimator(SVM.fit(plain["rows"], plain["texts"]))
    proven(CalibratedClassifierCV(frozen).fit(plain["rows"], plain["texts"]), plain["rows"], method)


@pytest.mark.parametrize("few", [3, 2])
def test_a_fold_that_lacks_a_class_says_nothing_of_it(few, plain, proven):
    # Four classes, of which the first fold is fitted on `few`.
    classes = np.where(plain["score"] > 1.5, 3, plain["classes"])
    folds = PredefinedSplit(np.where((classes >= few) | (np.arange(len(classes)) % 2 == 0), 0, 1))
    model = CalibratedClassifierCV(LogisticRegression(), cv=folds).fit(plain["rows"], classes)
    assert len(model.calibrated_classifiers_[0].estimator.classes_) == few
    proven(model, plain["rows"])


@pytest.mark.parametrize("method", ["predict_proba", "predict", "decision_function", "transform"])
@pytest.mark.parametrize("kind", [RFE, RFECV])
def test_a_selector_predicts_on_the_columns_it_kept(kind, method, plain, proven):
    proven(kind(LogisticRegression()).fit(plain["rows"], plain["texts"]), plain["rows"], method)


@pytest.mark.parametrize(
    "selector", [SelectFromModel(Ridge(), threshold="0.5*mean"), SequentialFeatureSelector(Ridge(), cv=2)]
)
def test_a_selector_by_a_model_keeps_columns(selector, mixed, plain, proven):
    frame = mixed[["b", "d"]].assign(e=plain["score"])
    lowered = proven(selector.fit(frame, plain["score"]), frame, "transform")
    assert lowered.outputs == tuple(selector.get_feature_names_out())


@pytest.mark.parametrize("method", ["predict_proba", "predict"])
@pytest.mark.parametrize("member", [LogisticRegression(), make_pipeline(StandardScaler(), TREE)], ids=["one", "steps"])
def test_self_training_ends_in_one_classifier(member, method, plain, proven):
    proven(SelfTrainingClassifier(member).fit(plain["rows"], plain["unlabeled"]), plain["rows"], method)


@pytest.mark.parametrize(
    "transformer",
    [
        StandardScaler(),
        MinMaxScaler(),
        MaxAbsScaler(),
        RobustScaler(),
        PowerTransformer(),
        PowerTransformer(method="box-cox"),
        QuantileTransformer(n_quantiles=20),
        QuantileTransformer(n_quantiles=20, output_distribution="normal"),
        make_pipeline(PowerTransformer(), MinMaxScaler()),
    ],
    ids=lambda value: str(value)[:60],
)
@pytest.mark.parametrize("several", [False, True], ids=["one", "several"])
def test_a_target_is_put_back(transformer, several, plain, proven):
    target = np.column_stack([plain["positive"], plain["positive"] ** 2]) if several else plain["positive"]
    model = TransformedTargetRegressor(Ridge(), transformer=transformer, check_inverse=False)
    proven(model.fit(plain["rows"], target), plain["rows"])


def test_shares_that_are_all_but_one_become_the_highest_quantile(plain, proven):
    transformer = QuantileTransformer(n_quantiles=20, output_distribution="normal")
    model = TransformedTargetRegressor(Ridge(), transformer=transformer, check_inverse=False)
    model.fit(plain["rows"], plain["score"])
    proven(model, plain["rows"] * np.linspace(1, 16, len(plain["rows"]))[:, None])


@pytest.mark.parametrize(
    ("function", "inverse"), [(np.log, np.exp), (np.sqrt, np.square), (np.negative, np.negative), (None, None)]
)
def test_a_target_is_put_back_by_a_function(function, inverse, plain, proven):
    model = TransformedTargetRegressor(Ridge(), func=function, inverse_func=inverse)
    proven(model.fit(plain["rows"], plain["positive"]), plain["rows"])


def test_a_target_put_back_by_code_is_refused(plain, proven):
    model = TransformedTargetRegressor(Ridge(), func=np.arcsinh, inverse_func=np.sinh)
    with pytest.raises(RefusedError, match="'sinh' is code"):
        proven(model.fit(plain["rows"], plain["positive"]), plain["rows"])
