"""Members that vote, are averaged, or are read by a last estimator."""

import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from shiplap.core.errors import RefusedError

TREE = DecisionTreeClassifier(max_depth=2, random_state=0)
SVM = LinearSVC(random_state=0)
THREE = [("logistic", LogisticRegression()), ("tree", TREE), ("bayes", GaussianNB())]
REGRESSORS = [("ridge", Ridge()), ("tree", DecisionTreeRegressor(max_depth=2)), ("none", "drop")]


def prepared(model):
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    return make_pipeline(ColumnTransformer([("n", numbers, ["a", "b", "d"]), ("c", OneHotEncoder(), ["c"])]), model)


@pytest.mark.parametrize(
    ("model", "method"),
    [
        (VotingClassifier(THREE), ""),
        (VotingClassifier(THREE), "transform"),
        (VotingClassifier(THREE, weights=[1, 2, 1.5]), ""),
        (VotingClassifier([*THREE, ("none", "drop")], voting="soft", weights=[1, 2, 1.5, 9]), "predict_proba"),
        (VotingClassifier(THREE, voting="soft"), "predict"),
        (VotingClassifier(THREE, voting="soft"), "transform"),
    ],
    ids=lambda value: str(value)[-40:],
)
@pytest.mark.parametrize("target", ["texts", "binary"])
def test_votes_are_counted_and_probabilities_averaged(model, method, target, plain, proven):
    proven(model.fit(plain["rows"], plain[target]), plain["rows"], method)


def test_votes_of_equal_weight_go_to_the_first_class(plain, proven):
    members = [("a", TREE), ("b", DecisionTreeClassifier(max_depth=6, random_state=1))]
    model = VotingClassifier(members).fit(plain["rows"], plain["texts"])
    said = model.transform(plain["rows"])
    apart = said[:, 0] != said[:, 1]
    assert apart.sum() > 5
    assert (model.predict(plain["rows"])[apart] == model.classes_[said.min(axis=1)[apart]]).all()
    proven(model, plain["rows"])


def test_a_vote_without_columns_is_refused(plain, proven):
    model = VotingClassifier(THREE, voting="soft", flatten_transform=False).fit(plain["rows"], plain["texts"])
    with pytest.raises(RefusedError, match="flatten_transform=False"):
        proven(model, plain["rows"], "transform")


@pytest.mark.parametrize("method", ["", "transform"])
def test_regressors_are_averaged_with_their_weights(method, plain, proven):
    proven(VotingRegressor(REGRESSORS, weights=[1, 3, 5]).fit(plain["rows"], plain["score"]), plain["rows"], method)


def test_members_may_be_pipelines_of_their_own(mixed, plain, proven):
    native = HistGradientBoostingClassifier(max_iter=3, categorical_features=["c"])
    members = [("a", prepared(LogisticRegression())), ("b", prepared(SVM)), ("c", native)]
    frame = mixed.astype({"c": "category"})
    proven(VotingClassifier(members).fit(frame, plain["texts"]), frame)


@pytest.mark.parametrize("target", ["texts", "binary"])
@pytest.mark.parametrize("passthrough", [False, True])
@pytest.mark.parametrize("stack_method", ["auto", "predict"])
def test_a_stack_reads_the_answers_of_its_members(stack_method, passthrough, target, plain, proven):
    members = [("logistic", LogisticRegression()), ("tree", TREE), ("svm", SVM)]
    model = StackingClassifier(members, cv=2, stack_method=stack_method, passthrough=passthrough)
    model.fit(plain["rows"], plain[target])
    proven(model, plain["rows"])
    proven(model, plain["rows"], "transform")


def test_a_stack_of_fitted_members_reads_their_labels(plain, proven):
    members = [("a", LogisticRegression().fit(plain["rows"], plain["classes"] * 2)), ("b", "drop")]
    model = StackingClassifier(members, cv="prefit", stack_method="predict", final_estimator=TREE)
    proven(model.fit(plain["rows"], plain["classes"]), plain["rows"])


def test_a_stack_may_end_in_scores(plain, proven):
    members = [("logistic", LogisticRegression()), ("svm", SVM)]
    model = StackingClassifier(members, final_estimator=SVM, stack_method="decision_function", cv=2)
    assert proven(model.fit(plain["rows"], plain["binary"]), plain["rows"]).scores


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("method", ["predict_proba", "predict", "transform"])
def test_a_stack_of_several_labels_gives_numbers(method, plain, proven):
    members = [
        ("several", MultiOutputClassifier(LogisticRegression())),
        ("network", MLPClassifier((3,), max_iter=20, random_state=0)),
    ]
    model = StackingClassifier(members, final_estimator=MultiOutputClassifier(LogisticRegression()), cv=2)
    assert proven(model.fit(plain["rows"], plain["labels"]), plain["rows"], method).task == "tensor"


@pytest.mark.parametrize("method", ["", "transform"])
def test_a_stack_of_regressors_may_see_the_rows_too(method, plain, proven):
    last = GradientBoostingRegressor(n_estimators=3)
    model = StackingRegressor(REGRESSORS, final_estimator=last, passthrough=True, cv=2)
    proven(model.fit(plain["rows"], plain["score"]), plain["rows"], method)


def test_a_stack_of_pipelines_reads_categories(mixed, plain, proven):
    members = [("a", prepared(LogisticRegression())), ("b", prepared(TREE))]
    proven(StackingClassifier(members, cv=2).fit(mixed, plain["texts"]), mixed)
