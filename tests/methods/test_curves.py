import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiplap.methods.curves import fit_curve

SIZES = np.repeat([100, 200, 400, 800, 1600], [3, 3, 2, 2, 1])


def trained(rng, *, offset=0.9, excess=0.08, exponent=0.5, noise=0.3):
    """Scores of trainings under a known law, with more luck the fewer rows there are."""
    law = offset - excess * (SIZES / 1600) ** -exponent
    return law + noise / np.sqrt(SIZES) * rng.normal(size=len(SIZES))


def test_the_truth_at_five_times_the_rows_lies_in_the_interval_as_often_as_it_says():
    rng, within = np.random.default_rng(0), 0
    for case in range(60):
        exponent, excess = rng.uniform(0.2, 0.9), rng.uniform(0.01, 0.1)
        curve = fit_curve(SIZES, trained(rng, excess=excess, exponent=exponent), best=1.0, seed=case)
        truth = 0.9 - excess * 5**-exponent + 0.3 / np.sqrt(8000) * rng.normal()
        interval = curve.at(8000)
        within += interval.low <= truth <= interval.high
    assert within >= 51


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1), st.floats(-0.5, 0.5), st.floats(0.01, 2.0))
def test_more_rows_never_hurt_and_nothing_exceeds_the_best(seed, excess, noise):
    curve = fit_curve(SIZES, trained(np.random.default_rng(seed), excess=excess, noise=noise), best=1.0)
    far, near = curve.expected(8000), curve.expected(1600)
    assert (far >= near).all()
    assert curve.change(8000, 1600).low >= 0
    assert (curve.offset <= 1.0).all() or len(curve.offset) == 200


def test_the_farther_ahead_the_wider():
    curve = fit_curve(SIZES, trained(np.random.default_rng(1)), best=1.0)
    widths = [interval.high - interval.low for interval in map(curve.at, (1600, 3200, 8000, 16000))]
    assert widths == sorted(widths)


def test_test_rows_that_are_few_widen_the_score_and_not_the_change():
    scores = trained(np.random.default_rng(2))
    sure, unsure = (fit_curve(SIZES, scores, test_error=error) for error in (0.0, 0.5))
    assert unsure.at(3200).high - unsure.at(3200).low > 1.0
    assert unsure.change(3200, 1600) == sure.change(3200, 1600)


def test_the_same_seed_gives_the_same_curve():
    scores = trained(np.random.default_rng(3))
    assert fit_curve(SIZES, scores, seed=4).at(5000) == fit_curve(SIZES, scores, seed=4).at(5000)


@pytest.mark.parametrize("sizes", [[100, 200, 400] * 3, [100, 200, 400, 800]])
def test_too_few_trainings_are_refused(sizes):
    with pytest.raises(ValueError, match="4 sizes"):
        fit_curve(np.array(sizes), np.ones(len(sizes)))
