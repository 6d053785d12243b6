"""Clusterers that place new rows."""

import numpy as np
import pytest
from sklearn.cluster import AffinityPropagation, Birch, BisectingKMeans, KMeans, MeanShift, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from shiplap.core.errors import RefusedError

CLUSTERERS = [
    KMeans(4, n_init=1, random_state=0),
    MiniBatchKMeans(4, n_init=1, random_state=0),
    BisectingKMeans(5, random_state=0),
    BisectingKMeans(5, bisecting_strategy="largest_cluster", random_state=0),
    MeanShift(bandwidth=1.2),
    AffinityPropagation(random_state=0),
    Birch(n_clusters=3, threshold=0.4),
    Birch(n_clusters=None, threshold=0.9),
]


@pytest.mark.parametrize("clusterer", CLUSTERERS, ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("grid", [False, True], ids=["plain", "on a grid"])
def test_rows_go_to_the_cluster_that_the_original_says(clusterer, grid, plain, proven):
    # On a grid many rows lie as near to one center as to another.
    rows = np.random.default_rng(0).integers(0, 4, (120, 3)).astype(float) if grid else plain["rows"]
    lowered = proven(clusterer.fit(rows), rows)
    assert lowered.classes == tuple(sorted(set(clusterer.labels_.tolist())))


@pytest.mark.parametrize("clusterer", CLUSTERERS[4:7], ids=lambda value: str(value)[:40])
def test_frames_are_placed_as_arrays_are(clusterer, mixed, proven):
    frame = mixed[["b", "d"]]
    proven(clusterer.fit(frame), frame)


def test_a_pipeline_that_ends_in_clusters_knows_their_labels(plain, proven):
    model = make_pipeline(StandardScaler(), Birch(n_clusters=3, threshold=0.4)).fit(plain["rows"])
    assert proven(model, plain["rows"]).classes == (0, 1, 2)


def test_a_clusterer_that_found_nothing_is_refused(plain, proven):
    model = AffinityPropagation(max_iter=1, random_state=0)
    with pytest.warns(ConvergenceWarning):
        model.fit(plain["rows"])
    with pytest.raises(RefusedError):
        proven(model, plain["rows"])


def test_centers_of_single_precision_are_refused_as_the_original_refuses_doubles(plain, proven):
    model = KMeans(3, n_init=1, random_state=0).fit(plain["rows"].astype("float32"))
    with pytest.raises(RefusedError, match="itself refuses the rows"):
        proven(model, plain["rows"])
