"""Support vector machines along libsvm."""

import pytest
from sklearn.svm import SVC, SVR, NuSVC, NuSVR, OneClassSVM

from shiplap.core.errors import RefusedError

KERNELS = [
    {"kernel": "rbf"},
    {"kernel": "linear"},
    {"kernel": "poly", "degree": 4, "coef0": 0.5},
    {"kernel": "sigmoid", "gamma": 0.1},
]


@pytest.mark.parametrize("options", KERNELS, ids=lambda value: value["kernel"])
@pytest.mark.parametrize("target", ["binary", "texts"])
def test_decisions_and_labels(options, target, plain, proven):
    model = SVC(**options).fit(plain["rows"], plain[target])
    proven(model, plain["rows"], "decision_function")
    if options["kernel"] == "rbf":
        proven(model, plain["rows"], "predict")


@pytest.mark.parametrize("options", [{"decision_function_shape": "ovo"}, {"break_ties": True}], ids=str)
def test_pairs_as_they_are_and_votes_that_decisions_settle(options, plain, proven):
    model = NuSVC(nu=0.2, **options).fit(plain["rows"], plain["texts"])
    for method in ("decision_function", "predict"):
        proven(model, plain["rows"], method)


@pytest.mark.filterwarnings("ignore")  # the parameter is on its way out
@pytest.mark.parametrize("target", ["binary", "texts"])
@pytest.mark.parametrize("kind", [SVC, NuSVC])
def test_probabilities_are_coupled_as_libsvm_does(kind, target, plain, proven):
    model = kind(probability=True, random_state=0, **({"nu": 0.2} if kind is NuSVC else {}))
    lowered = proven(model.fit(plain["rows"], plain[target]), plain["rows"], "predict_proba")
    assert lowered.task == "tensor"  # its labels are decided by votes, apart from these


@pytest.mark.parametrize("options", KERNELS, ids=lambda value: value["kernel"])
def test_regressions(options, plain, proven):
    model = NuSVR(**options) if options["kernel"] == "rbf" else SVR(**options)
    proven(model.fit(plain["rows"], plain["score"]), plain["rows"])


@pytest.mark.parametrize("method", ["decision_function", "score_samples", "predict"])
@pytest.mark.parametrize("options", KERNELS[:2], ids=lambda value: value["kernel"])
def test_outliers(options, method, plain, proven):
    proven(OneClassSVM(**options).fit(plain["rows"]), plain["rows"], method)


def test_a_kernel_of_code_is_refused(plain, proven):
    model = SVC(kernel=lambda one, other: one @ other.T).fit(plain["rows"], plain["binary"])
    with pytest.raises(RefusedError, match="its kernel is code"):
        proven(model, plain["rows"])
