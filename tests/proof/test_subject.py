import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from shiplap.core.errors import TableError
from shiplap.proof import SAMPLE_ROWS, lower, sample_frame


def test_the_signature_speaks_of_what_the_ship_reads(subject):
    kinds = {field.name: field.kind for field in subject.signature.inputs}
    assert kinds == {"price": "number", "count": "number", "color": "category", "at": "date"}
    assert subject.signature.classes == ("no", "yes")
    assert subject.policy.positive == 1


def test_an_even_probability_is_the_first_class_as_predict_has_it(subject):
    assert subject.policy.threshold == np.nextafter(0.5, 1.0)


def test_long_data_is_thinned_evenly():
    frame = pd.DataFrame({"a": np.arange(3.0 * SAMPLE_ROWS)})
    sample = sample_frame(frame)
    assert len(sample) == SAMPLE_ROWS
    assert sample["a"].iloc[-1] == 3 * SAMPLE_ROWS - 3


@pytest.mark.parametrize("X", [None, pd.DataFrame({"a": []})])
def test_no_rows_are_refused(X):
    model = LogisticRegression().fit(pd.DataFrame({"a": [0.0, 1.0]}), [0, 1])
    with pytest.raises(TableError, match="rows"):
        lower(model, X)
