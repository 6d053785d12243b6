"""Models that were fitted on single precision keep it in what they learned, and read doubles all the same."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA, DictionaryLearning, KernelPCA, SparsePCA
from sklearn.impute import SimpleImputer
from sklearn.kernel_approximation import Nystroem
from sklearn.preprocessing import PowerTransformer, QuantileTransformer, SplineTransformer, StandardScaler

from shiplap.core.errors import RefusedError


@pytest.mark.parametrize(
    "model",
    [
        PCA(2, whiten=True),
        KernelPCA(2, kernel="rbf"),
        Nystroem(n_components=5, random_state=0),
        KMeans(3, n_init=1, random_state=0),
        StandardScaler(),
        PowerTransformer(),
        QuantileTransformer(n_quantiles=15),
        SplineTransformer(),
    ],
    ids=lambda model: type(model).__name__,
)
def test_what_was_learned_in_single_precision_is_used_as_it_is(model, plain, proven):
    rows = plain["rows"].astype(np.float32)
    proven(clone(model).fit(rows), rows, "transform")


@pytest.mark.parametrize("strategy", ["mean", "median"])
def test_a_gap_is_filled_in_the_precision_of_the_fit(strategy, plain, proven):
    rows = plain["rows"].astype(np.float32)
    rows[::7, 1] = np.nan
    proven(SimpleImputer(strategy=strategy).fit(rows), rows)


@pytest.mark.parametrize("model", [SparsePCA(2, random_state=0), DictionaryLearning(3, max_iter=5, random_state=0)])
def test_what_computes_in_single_precision_is_refused(model, plain, proven):
    rows = plain["rows"].astype(np.float32)
    with pytest.raises(RefusedError, match="computes in single precision") as refusal:
        proven(clone(model).fit(rows), rows)
    assert refusal.value.hint == "fit it on float64"
