"""Members on parts of the rows and columns: bagging, AdaBoost, isolation forests."""

import numpy as np
import onnx
import pytest
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from shiplap.adapters.runtimes import runtimes
from shiplap.core.errors import RefusedError

TREE = DecisionTreeClassifier(max_depth=2, random_state=0)
SVM = LinearSVC(random_state=0)


@pytest.mark.parametrize(
    "options",
    [{"max_features": 0.6}, {"max_samples": 5}, {"bootstrap_features": True, "max_features": 3}],
    ids=lambda value: next(iter(value)),
)
@pytest.mark.parametrize("member", [None, LogisticRegression(), SVM], ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("target", ["texts", "binary"])
def test_bagged_classifiers_are_averaged_or_vote(target, member, options, plain, proven):
    model = BaggingClassifier(member, n_estimators=4, random_state=0, **options)
    proven(model.fit(plain["rows"], plain[target]), plain["rows"])


def test_bagged_members_may_know_some_of_the_classes_only(plain, proven):
    member = make_pipeline(StandardScaler(), GaussianNB())
    model = BaggingClassifier(member, n_estimators=6, max_samples=3, bootstrap=False, random_state=0)
    model.fit(plain["rows"], plain["texts"])
    assert {len(one.classes_) for one in model.estimators_} != {3}
    proven(model, plain["rows"])


def test_scores_that_do_not_decide_are_numbers(plain, proven):
    model = BaggingClassifier(LogisticRegression(), n_estimators=4, random_state=0).fit(plain["rows"], plain["binary"])
    lowered = proven(model, plain["rows"], "decision_function")
    assert (lowered.task, lowered.outputs) == ("tensor", ("no", "yes"))


@pytest.mark.parametrize("member", [None, Ridge()], ids=["tree", "ridge"])
def test_bagged_regressors_are_averaged(member, plain, proven):
    model = BaggingRegressor(member, n_estimators=4, max_features=0.5, random_state=0)
    proven(model.fit(plain["rows"], plain["score"]), plain["rows"])


def test_bagged_regressors_of_several_targets_give_numbers(plain, proven):
    model = BaggingRegressor(Ridge(), n_estimators=3, random_state=0).fit(plain["rows"], plain["several"])
    assert proven(model, plain["rows"]).outputs == ("y0", "y1")


@pytest.mark.parametrize("member", [None, TREE, SVM, GaussianNB()], ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("target", ["texts", "binary"])
@pytest.mark.parametrize("method", ["predict_proba", "decision_function", "predict"])
def test_boosted_classifiers_vote_by_weight(method, target, member, plain, proven):
    model = AdaBoostClassifier(member, n_estimators=5, random_state=0).fit(plain["rows"], plain[target])
    proven(model, plain["rows"], method)


@pytest.mark.parametrize(
    ("member", "count"),
    [(None, 12), (DecisionTreeRegressor(max_depth=1), 7), (Ridge(), 5), (None, 1)],
    ids=["trees", "stumps", "ridge", "one"],
)
def test_boosted_regressors_answer_with_their_weighted_median(member, count, plain, proven):
    model = AdaBoostRegressor(member, n_estimators=count, random_state=0).fit(plain["rows"], plain["score"])
    proven(model, plain["rows"])


@pytest.mark.parametrize("method", ["decision_function", "score_samples", "predict"])
@pytest.mark.parametrize("options", [{}, {"max_features": 2, "contamination": 0.1}], ids=["plain", "some columns"])
def test_isolation_forests_measure_how_alone_a_row_is(options, method, plain, proven):
    model = IsolationForest(n_estimators=5, random_state=0, **options).fit(plain["rows"])
    lowered = proven(model, plain["rows"], method)
    assert lowered.classes == (() if method == "score_samples" else (1, -1))


def test_isolation_forests_stand_behind_other_steps(mixed, proven):
    numbers = mixed[["a", "b", "d"]]
    proven(make_pipeline(SimpleImputer(), IsolationForest(n_estimators=3, random_state=0)).fit(numbers), numbers)


def test_an_isolation_forest_of_single_rows_is_refused(plain, proven):
    model = IsolationForest(n_estimators=2, max_samples=1, random_state=0).fit(plain["rows"])
    with pytest.raises(RefusedError, match="one row a tree"):
        proven(model, plain["rows"])


def test_all_trees_of_a_bag_are_one_node(plain, operators):
    model = BaggingClassifier(n_estimators=5, max_features=2, random_state=0).fit(plain["rows"], plain["binary"])
    assert operators(model, plain["rows"]).count("TreeEnsemble") == 1
    boosted = AdaBoostRegressor(n_estimators=5, random_state=0).fit(plain["rows"], np.sign(plain["score"]))
    assert operators(boosted, plain["rows"]).count("TreeEnsemble") == 1


def test_a_forest_of_many_classes_holds_each_tree_once_and_adds_in_order(plain, proven):
    target = np.digitize(plain["score"], [-1.2, -0.4, 0.4, 1.2])
    model = RandomForestClassifier(60, max_depth=4, random_state=0).fit(plain["rows"], target)
    graph = onnx.load_from_string(proven(model, plain["rows"]).graph)
    ensembles = [node for node in graph.graph.node if node.op_type == "TreeEnsemble"]
    roots = [
        len(attribute.ints) for node in ensembles for attribute in node.attribute if attribute.name == "tree_roots"
    ]
    assert (len(ensembles), sum(roots)) == (3, 60)
    run = runtimes.get("onnxruntime")(graph.SerializeToString()).run
    expected = model.predict_proba(plain["rows"])
    assert (run(plain["rows"]) == expected).all()
    assert all((run(plain["rows"][[row]]) == expected[[row]]).all() for row in range(30))
