"""One model a class, a pair, a bit of a code, or a target."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor, RegressorChain
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from shiplap.core.errors import RefusedError

TREE = DecisionTreeClassifier(max_depth=2, random_state=0)
SVM = LinearSVC(random_state=0)
MEMBERS = [LogisticRegression(), SVM, TREE, GaussianNB(), Ridge(), SVC()]


@pytest.mark.parametrize("target", ["texts", "binary"])
@pytest.mark.parametrize("member", MEMBERS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("kind", [OneVsRestClassifier, OneVsOneClassifier])
def test_classes_are_told_apart_by_several_models(kind, member, target, plain, proven):
    proven(kind(member).fit(plain["rows"], plain[target]), plain["rows"])


@pytest.mark.parametrize("target", ["texts", "binary"])
@pytest.mark.parametrize("member", [LogisticRegression(), TREE], ids=["scores", "shares"])
def test_the_nearest_code_is_the_class(member, target, plain, proven):
    model = OutputCodeClassifier(member, code_size=3, random_state=0)
    proven(model.fit(plain["rows"], plain[target]), plain["rows"])


@pytest.mark.parametrize("target", ["texts", "labels"])
@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_one_model_a_class_answers_each_question(method, target, plain, proven):
    proven(OneVsRestClassifier(LogisticRegression()).fit(plain["rows"], plain[target]), plain["rows"], method)


@pytest.mark.filterwarnings("ignore:Label not")
@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_a_label_that_every_row_has_is_a_constant(method, plain, proven):
    labels = plain["labels"].copy()
    labels[:, 1] = 1
    model = OneVsRestClassifier(LogisticRegression())
    with pytest.warns(UserWarning, match="present in all"):
        model.fit(plain["rows"], labels)
    proven(model, plain["rows"], method)


@pytest.mark.parametrize("method", ["decision_function", "predict"])
def test_pairs_of_classes_vote(method, plain, proven):
    proven(OneVsOneClassifier(TREE).fit(plain["rows"], plain["texts"]), plain["rows"], method)


@pytest.mark.parametrize(("member", "method"), [(TREE, ""), (TREE, "predict"), (SVM, "")])
def test_each_target_has_its_own_columns(member, method, plain, proven):
    lowered = proven(MultiOutputClassifier(member).fit(plain["rows"], plain["mixed"]), plain["rows"], method)
    several = ("y0=0", "y0=1", "y0=2", "y1=0", "y1=1")
    assert lowered.outputs == (several if member is TREE and not method else ("y0", "y1"))


def test_labels_of_several_targets_that_are_texts_are_refused(plain, proven):
    targets = np.column_stack([plain["texts"], plain["binary"]])
    model = MultiOutputClassifier(LogisticRegression()).fit(plain["rows"], targets)
    with pytest.raises(RefusedError, match="labels that are texts"):
        proven(model, plain["rows"], "predict")
    assert "y1=yes" in proven(model, plain["rows"]).outputs


@pytest.mark.parametrize("model", [MultiOutputRegressor(Ridge()), RegressorChain(Ridge(), order=[1, 0])])
def test_several_numbers_are_predicted(model, plain, proven):
    assert proven(model.fit(plain["rows"], plain["several"]), plain["rows"]).outputs == ("y0", "y1")


@pytest.mark.parametrize("handed_on", ["predict", "predict_proba", "predict_log_proba", "decision_function"])
@pytest.mark.parametrize("method", ["predict_proba", "predict", "decision_function"])
def test_a_chain_hands_on_what_its_models_say(method, handed_on, plain, proven):
    model = ClassifierChain(LogisticRegression(), order=[2, 0, 1], chain_method=handed_on)
    proven(model.fit(plain["rows"], plain["labels"]), plain["rows"], method)


def test_a_chain_of_trees_was_fitted_on_cross_validated_answers(plain, proven):
    proven(ClassifierChain(TREE, cv=2).fit(plain["rows"], plain["labels"]), plain["rows"])
    tree = DecisionTreeRegressor(max_depth=3)
    proven(RegressorChain(tree, cv=2).fit(plain["rows"], plain["several"]), plain["rows"])


def test_a_chain_hands_on_labels_as_they_are(plain, proven):
    labels = plain["labels"][:, :2] * [2, 1] + [1, 0]
    proven(ClassifierChain(LogisticRegression()).fit(plain["rows"], labels), plain["rows"], "predict")


def test_tiny_probabilities_keep_their_digits_when_they_are_divided(plain, proven):
    model = OneVsRestClassifier(SGDClassifier(loss="log_loss", random_state=0)).fit(plain["rows"], plain["texts"])
    for member in model.estimators_:
        member.coef_ = -np.abs(member.coef_)  # far out no class is likely
    proven(model, np.abs(plain["rows"]) * np.linspace(1, 12, len(plain["rows"]))[:, None])
    calibrated = CalibratedClassifierCV(SVM, cv=2).fit(plain["rows"], plain["texts"])
    for one in calibrated.calibrated_classifiers_:
        for calibrator in one.calibrators:
            calibrator.b_ += 25.0
    proven(calibrated, plain["rows"])
