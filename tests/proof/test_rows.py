import numpy as np

from shiplap.proof import THRESHOLDS
from shiplap.proof.rows import built_rows


def of_kind(subject, kind):
    return next(case for case in built_rows(subject, np.random.default_rng(0)) if case.kind == kind)


def test_every_threshold_stands_in_a_row_with_its_neighbours(subject):
    thresholds = subject.lowered.thresholds
    assert sum(len(values) for values in thresholds.values()) <= THRESHOLDS
    for kind, side in (("on a threshold", None), ("one ulp below", -np.inf), ("one ulp above", np.inf)):
        frame = of_kind(subject, kind).frame
        for name, values in thresholds.items():
            wanted = values if side is None else np.nextafter(values, side)
            assert np.isin(wanted, frame[name].to_numpy()).all(), (kind, name)


def test_thresholds_of_dates_are_left_to_dates(subject):
    assert set(subject.lowered.thresholds) == {"price", "count"}
    assert of_kind(subject, "date borders").frame["at"].notna().all()


def test_clients_types_carry_the_same_values(subject):
    case = of_kind(subject, "float32 columns")
    assert case.rows["price"].dtype == np.float32
    np.testing.assert_array_equal(case.rows["price"].to_numpy(np.float64), case.frame["price"].to_numpy())
    assert of_kind(subject, "integer columns").rows["price"].dtype == np.int64
    assert isinstance(of_kind(subject, "numbers as text").rows["price"].iloc[0], str)


def test_a_part_keeps_frame_and_rows_together(subject):
    case = of_kind(subject, "dictionaries").part(slice(3, 5))
    assert [row["price"] for row in case.rows] == case.frame["price"].tolist()
