from datetime import datetime
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiplap.adapters.frameworks.sklearn import date_parts
from shiplap.core.encoding import Date, DatePart, Encoding
from shiplap.scoring import Encoder

PARTS = get_args(DatePart)
ENCODER = Encoder(Encoding(operations=(Date(column="at", parts=PARTS),)))
MOMENTS = st.datetimes(min_value=datetime(1700, 1, 1), max_value=datetime(2250, 1, 1))


@given(st.lists(st.none() | MOMENTS, min_size=1, max_size=5))
def test_equal_to_the_encoder(moments):
    frame = pd.DataFrame({"at": pd.Series(moments, dtype="datetime64[us]")})
    ours = ENCODER.matrix([{"at": moment} for moment in moments])
    np.testing.assert_array_equal(date_parts(frame, PARTS), ours)


def test_a_zone_is_turned_to_utc():
    local = pd.DataFrame({"at": pd.to_datetime(["2013-01-01 01:30"]).tz_localize("Europe/Berlin")})
    assert date_parts(local, ("year", "hour", "minute")).tolist() == [[2012.0, 0.0, 30.0]] or date_parts(
        local, ("hour", "minute")
    ).tolist() == [[0.0, 30.0]]


def test_columns_follow_one_another():
    frame = pd.DataFrame({"a": pd.to_datetime(["2013-02-03"]), "b": pd.to_datetime(["2014-05-06"])})
    assert date_parts(frame, ("month", "day")).tolist() == [[2.0, 3.0, 5.0, 6.0]]
    assert date_parts(frame, ()).shape == (1, 0)


def test_an_unknown_part_is_named():
    with pytest.raises(ValueError, match="no part 'century'"):
        date_parts(pd.DataFrame({"a": pd.to_datetime(["2013-02-03"])}), ("century",))
